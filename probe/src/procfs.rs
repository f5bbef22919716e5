//! Files of `/proc` that show the cause of an observation: settings of the kernel, and limits of
//! this process.

use crate::fixture::Fixture;
use crate::request::RecordingVersion;
use kernel::str_or_replacement;

/// Limits of this process, `proc_pid_limits` in `fs/proc/base.c`.
pub const LIMITS: &str = "/proc/self/limits";

/// The first word after `key` in the first line that begins with it; empty if there is none. `None`
/// if the file cannot be read.
pub fn word(fixture: &mut Fixture, path: &str, key: &str) -> Option<String> {
    if fixture.recording_version < RecordingVersion::Two {
        return None;
    }
    let mut content = Vec::new();
    fixture.kernel.read_file(path, &mut |block| content.extend_from_slice(block)).ok()?;
    let rest =
        content.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(key.as_bytes()));
    let word = rest.unwrap_or_default().trim_ascii().split(u8::is_ascii_whitespace).next();
    Some(String::from(str_or_replacement(word.unwrap_or_default())))
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
