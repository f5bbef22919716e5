//! Removes the section headers of a program. Only linkers and debuggers read them; the kernel loads
//! a program by its program headers, `elf(5)`.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use std::ops::Range;

/// The fields of the ELF header about section headers: `e_shoff`, and `e_shentsize` to
/// `e_shstrndx`.
const SECTION_FIELDS_32: [Range<usize>; 2] = [0x20..0x24, 0x2e..0x34];
const SECTION_FIELDS_64: [Range<usize>; 2] = [0x28..0x30, 0x3a..0x40];

/// Cuts off what follows the last loaded byte. A file that is not an ELF program is left unchanged,
/// for `check` to reject.
pub fn section_headers(mut bytes: Vec<u8>) -> Vec<u8> {
    let (end, fields) = match bytes.get(4) {
        Some(1) => (loaded_end::<FileHeader32<Endianness>>(&bytes), SECTION_FIELDS_32),
        _ => (loaded_end::<FileHeader64<Endianness>>(&bytes), SECTION_FIELDS_64),
    };
    let Some(end) = end.filter(|end| (0x40..=bytes.len()).contains(end)) else { return bytes };
    bytes.truncate(end);
    for field in fields {
        bytes[field].fill(0);
    }
    bytes
}

/// The end of the last byte that a segment holds in the file.
fn loaded_end<F: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<usize> {
    let header = F::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let ends = segments.iter().map(|segment| {
        let (offset, size): (u64, u64) =
            (segment.p_offset(endian).into(), segment.p_filesz(endian).into());
        // The offset of an empty segment may be past the end of the file.
        if size == 0 { 0 } else { offset + size }
    });
    usize::try_from(ends.max()?).ok()
}

#[cfg(test)]
mod tests {
    use super::section_headers;

    #[test]
    fn a_stripped_program_runs_and_has_no_sections() {
        let directory = std::env::temp_dir().join(format!("mapprobe-strip-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let (source, built) = (directory.join("seven.c"), directory.join("seven"));
        std::fs::write(&source, "int main(void) { return 7; }\n").unwrap();
        let gcc = std::process::Command::new("gcc")
            .args(["-static", "-o"])
            .arg(&built)
            .arg(&source)
            .status()
            .unwrap();
        assert!(gcc.success());
        let before = std::fs::read(&built).unwrap();
        let after = section_headers(before.clone());
        assert!(after.len() < before.len());
        let (bytes, stripped) = (directory.join("bytes"), directory.join("stripped"));
        std::fs::write(&bytes, &after).unwrap();
        // Another process makes the program: a child of another test's thread may inherit an open
        // descriptor of this one, and a program that is open for writing cannot be executed.
        let install = std::process::Command::new("install").arg(&bytes).arg(&stripped).status();
        assert!(install.unwrap().success());
        assert_eq!(std::process::Command::new(&stripped).status().unwrap().code(), Some(7));
        let header =
            std::process::Command::new("readelf").arg("-h").arg(&stripped).output().unwrap();
        let header = String::from_utf8_lossy(&header.stdout).into_owned();
        assert!(header.contains("Number of section headers:         0"), "{header}");
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn other_files_are_unchanged() {
        assert_eq!(section_headers(b"#!/bin/sh\n".to_vec()), b"#!/bin/sh\n");
    }
}
