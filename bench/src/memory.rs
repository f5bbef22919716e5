//! The resident memory of a process, from `/proc/PID/smaps` and `smaps_rollup`. Both count pages
//! exactly; the counters in `statm` are updated in batches.

use anyhow::{Context, Result};
use nix::unistd::Pid;

/// The resident memory of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    pub rss_kb: u64,
    /// Sorted by address.
    pub mappings: Vec<Mapping>,
}

/// A mapping of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// The permissions and the name of the file: `r-xp program`.
    pub name: String,
    pub rss_kb: u64,
}

/// Measures a stopped process.
///
/// # Errors
/// A file in `/proc` cannot be read; `smaps_rollup` is missing before Linux 4.14.
pub fn of(process: Pid) -> Result<Memory> {
    let read = |name: &str| {
        let path = format!("/proc/{process}/{name}");
        std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
    };
    let rollup = parse(&read("smaps_rollup")?);
    let total = rollup.first().context("smaps_rollup is empty.")?;
    Ok(Memory { rss_kb: total.rss_kb, mappings: parse(&read("smaps")?) })
}

fn parse(text: &str) -> Vec<Mapping> {
    let mut mappings: Vec<Mapping> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Rss:") => {
                let size = words.next().and_then(|word| word.parse().ok());
                if let (Some(mapping), Some(size)) = (mappings.last_mut(), size) {
                    mapping.rss_kb = size;
                }
            }
            // Address range, permissions, offset, device, inode, and a name if there is one.
            Some(range) if range.contains('-') => {
                let permissions = words.next().unwrap_or_default();
                let path = words.nth(3).unwrap_or("anonymous");
                let file = path.rsplit('/').next().unwrap_or(path);
                mappings.push(Mapping { name: format!("{permissions} {file}"), rss_kb: 0 });
            }
            _ => {}
        }
    }
    mappings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mapping_has_a_name_and_a_size() {
        let text = "00400000-00411000 r-xp 00000000 fe:00 55 /tmp/my/program\n\
                    Size:                 68 kB\nRss:                  64 kB\n\
                    Pss_Dirty:             0 kB\nVmFlags: rd ex mr mw me\n\
                    00412000-00512000 rw-p 00000000 00:00 0 \nRss:                 132 kB\n\
                    7ffd10a5f000-7ffd10a80000 rw-p 00000000 00:00 0                          \
                    [stack]\nRss:                  12 kB\n";
        let expected = [("r-xp program", 64), ("rw-p anonymous", 132), ("rw-p [stack]", 12)];
        let expected = expected.map(|(name, rss_kb)| Mapping { name: name.into(), rss_kb });
        assert_eq!(parse(text), expected);
    }
}
