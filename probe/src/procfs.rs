//! Files of `/proc` that show the cause of an observation: settings of the kernel, and limits of
//! this process.

use crate::fixture::Fixture;
use crate::request::RecordingVersion;
use kernel::recording::take_line;
use kernel::str_or_replacement;

/// Limits of this process, `proc_pid_limits` in `fs/proc/base.c`.
pub const LIMITS: &str = "/proc/self/limits";

/// The first word after `key` in the first line that begins with it; empty if there is none. `None`
/// if the file cannot be read.
pub fn word(fixture: &mut Fixture, path: &str, key: &str) -> Option<String> {
    if fixture.recording_version < RecordingVersion::Two {
        return None;
    }
    let content = fixture.kernel.read_whole_file(path).ok()?;
    let mut rest = content.as_slice();
    while !rest.is_empty() {
        if let Some(after_key) = take_line(&mut rest).strip_prefix(key.as_bytes()) {
            let text = after_key.trim_ascii_start();
            let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
            return Some(String::from(str_or_replacement(text.get(..end).unwrap_or_default())));
        }
    }
    Some(String::new())
}

/// Whether a limit of this process, named as in [`LIMITS`], is known to be at least a number.
pub fn limit_is_at_least(fixture: &mut Fixture, name: &str, needed: u64) -> bool {
    limit(fixture, name).is_some_and(|limit| limit >= needed)
}

/// Whether a limit of this process is known to be below a number.
pub fn limit_is_below(fixture: &mut Fixture, name: &str, needed: u64) -> bool {
    limit(fixture, name).is_some_and(|limit| limit < needed)
}

fn limit(fixture: &mut Fixture, name: &str) -> Option<u64> {
    match word(fixture, LIMITS, name)?.as_str() {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}
