//! What of a process is in memory: `/proc/PID/smaps` and `smaps_rollup`, which count pages exactly; the counters of `statm` lag behind.

use anyhow::{Context, Result};
use nix::unistd::Pid;

/// What of a process is in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// All of it, kB.
    pub rss: u64,
    /// What is mapped, in the order of addresses, and kB of it.
    pub parts: Vec<(String, u64)>,
}

/// Reads both files of a process that is stopped.
///
/// # Errors
/// A sentence when one of them cannot be read, as on kernels before 4.14.
pub fn of(process: Pid) -> Result<Memory> {
    let read = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
    };
    let all = parts(&read("smaps_rollup")?);
    let rss = all.first().context("smaps_rollup is empty.")?.1;
    Ok(Memory { rss, parts: parts(&read("smaps")?) })
}

/// Every mapping by its rights and its name, and the number behind `Rss:`.
fn parts(text: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Rss:") => {
                let size = words.next().and_then(|word| word.parse().ok());
                if let (Some((_, last)), Some(size)) = (parts.last_mut(), size) {
                    *last = size;
                }
            }
            // A range of addresses, the rights, offset, device, inode, and perhaps a name.
            Some(range) if range.contains('-') => {
                let rights = words.next().unwrap_or_default();
                let name = words
                    .nth(3)
                    .map_or("anonymous", |path| path.rsplit('/').next().unwrap_or(path));
                parts.push((format!("{rights} {name}"), 0));
            }
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapping_has_its_size() {
        let text = "00400000-00411000 r-xp 00000000 fe:00 55 /tmp/my/program\nSize:                 68 kB\nRss:                  64 kB\n\
                    Pss_Dirty:             0 kB\nVmFlags: rd ex mr mw me\n\
                    00412000-00512000 rw-p 00000000 00:00 0 \nRss:                 132 kB\n\
                    7ffd10a5f000-7ffd10a80000 rw-p 00000000 00:00 0                          [stack]\nRss:                  12 kB\n";
        let expected = [("r-xp program", 64), ("rw-p anonymous", 132), ("rw-p [stack]", 12)];
        assert_eq!(parts(text), expected.map(|(name, size)| (String::from(name), size)));
    }
}
