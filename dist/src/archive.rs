//! Makes initramfs archives: cpio in the `newc` format,
//! `Documentation/driver-api/early-userspace/buffer-format.rst`. The same entries always give the
//! same bytes: time 0, owner root, inode numbers counted from 1.

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use std::io::Write;

/// A file, directory, symbolic link or device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The path without a leading slash. A directory precedes its contents.
    name: String,
    /// Type and permissions, `inode(7)`.
    mode: u32,
    /// Major and minor number of a device.
    device: (u32, u32),
    content: Vec<u8>,
}

impl Entry {
    /// A file with permissions such as `0o755`.
    pub fn file(name: impl Into<String>, permissions: u32, content: impl Into<Vec<u8>>) -> Entry {
        Entry {
            name: name.into(),
            mode: 0o100_000 | permissions,
            device: (0, 0),
            content: content.into(),
        }
    }

    /// A directory with mode 0755.
    pub fn directory(name: impl Into<String>) -> Entry {
        Entry { name: name.into(), mode: 0o040_755, device: (0, 0), content: Vec::new() }
    }

    pub fn link(name: impl Into<String>, to: &str) -> Entry {
        Entry { name: name.into(), mode: 0o120_777, device: (0, 0), content: to.into() }
    }

    /// A character device, such as `dev/console` with 5 and 1.
    pub fn device(name: impl Into<String>, permissions: u32, major: u32, minor: u32) -> Entry {
        Entry {
            name: name.into(),
            mode: 0o020_000 | permissions,
            device: (major, minor),
            content: Vec::new(),
        }
    }
}

/// The uncompressed archive.
pub fn write(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        append(&mut bytes, index as u32 + 1, entry);
    }
    append(
        &mut bytes,
        0,
        &Entry { name: "TRAILER!!!".into(), mode: 0, device: (0, 0), content: Vec::new() },
    );
    pad(&mut bytes, 512);
    bytes
}

/// The archive compressed with gzip.
pub fn write_gz(entries: &[Entry]) -> Result<Vec<u8>> {
    gzip(&write(entries))
}

/// Compresses like `gzip -9n`: without a name and a time.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut gz = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    gz.write_all(bytes).and_then(|()| gz.finish()).context("gzip failed")
}

/// Appends an entry: a magic number, thirteen numbers of eight hexadecimal digits, the
/// NUL-terminated name, the content. Name and content are padded to a multiple of four.
fn append(to: &mut Vec<u8>, inode: u32, entry: &Entry) {
    let is_directory = entry.mode & 0o170_000 == 0o040_000;
    let links = if is_directory { 2 } else { 1 };
    let (size, name_size) = (entry.content.len() as u32, entry.name.len() as u32 + 1);
    to.extend(b"070701");
    // Inode, mode, uid, gid, links, mtime, size, device of the file system (2), of the entry (2),
    // size of the name, checksum.
    for number in [
        inode,
        entry.mode,
        0,
        0,
        links,
        0,
        size,
        0,
        0,
        entry.device.0,
        entry.device.1,
        name_size,
        0,
    ] {
        to.extend(format!("{number:08x}").bytes());
    }
    to.extend(entry.name.bytes());
    to.push(0);
    pad(to, 4);
    to.extend(&entry.content);
    pad(to, 4);
}

fn pad(to: &mut Vec<u8>, multiple: usize) {
    to.resize(to.len().next_multiple_of(multiple), 0);
}

#[cfg(test)]
mod tests {
    use super::{Entry, write, write_gz};
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};
    use std::sync::Once;

    fn entries() -> Vec<Entry> {
        vec![
            Entry::directory("dev"),
            Entry::device("dev/console", 0o600, 5, 1),
            Entry::file("mapprobe", 0o755, *b"seven b"),
            Entry::link("init", "mapprobe"),
        ]
    }

    /// The listing of the real cpio.
    fn listed(archive: &[u8]) -> String {
        static CPIO: Once = Once::new();
        CPIO.call_once(|| {
            if crate::workspace::program("cpio").is_none() {
                crate::packages::apt_get(&["cpio"]).expect("the Debian package cpio is needed");
            }
        });
        let mut cpio = Command::new("cpio");
        let cpio = cpio.args(["-t", "-v", "--numeric-uid-gid"]).env("TZ", "UTC").env("LC_ALL", "C");
        let mut cpio =
            cpio.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cpio starts");
        cpio.stdin.take().unwrap().write_all(archive).unwrap();
        let output = cpio.wait_with_output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn cpio_lists_the_entries() {
        let text = listed(&write(&entries()));
        let lines: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["drwxr-xr-x", "2", "0", "0", "0", "Jan", "1", "1970", "dev"]);
        assert_eq!(
            lines[1],
            ["crw-------", "1", "0", "0", "5,", "1", "Jan", "1", "1970", "dev/console"]
        );
        assert_eq!(lines[2], ["-rwxr-xr-x", "1", "0", "0", "7", "Jan", "1", "1970", "mapprobe"]);
        assert_eq!(lines[3][8..], ["init", "->", "mapprobe"]);
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn every_header_begins_at_a_multiple_of_four() {
        let bytes = write(&entries());
        let headers = bytes
            .windows(6)
            .enumerate()
            .filter(|(_, window)| *window == b"070701")
            .map(|(at, _)| at);
        let headers: Vec<usize> = headers.collect();
        assert_eq!(headers.len(), 5, "four entries and the trailer");
        assert!(
            headers.iter().all(|at| at % 4 == 0) && bytes.len().is_multiple_of(512),
            "{headers:?}"
        );
    }

    #[test]
    fn compression_is_reproducible() {
        let packed = write_gz(&entries()).unwrap();
        assert_eq!(packed, write_gz(&entries()).unwrap());
        assert_eq!(&packed[4..8], [0; 4], "no time of compression");
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, write(&entries()));
    }
}
