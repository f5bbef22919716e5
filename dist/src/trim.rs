//! A program without its section headers: about a kilobyte that only linkers and debuggers read, `elf(5)`. The kernel loads by
//! program headers. Knows bytes; does no I/O.

use object::Endianness;
use object::elf::{FileHeader32, FileHeader64};
use object::read::elf::{FileHeader, ProgramHeader};

/// Where `e_shoff` and `e_shentsize` (followed by `e_shnum` and `e_shstrndx`, two bytes each) are, and how long `e_shoff` is.
struct Place {
    offset: usize,
    width: usize,
    count: usize,
}

/// Cuts a program behind what its program headers load. What is no ELF file stays as it is, and so is refused later.
pub fn section_headers(mut bytes: Vec<u8>) -> Vec<u8> {
    let (end, place) = match bytes.get(4) {
        Some(1) => (
            loaded::<FileHeader32<Endianness>>(&bytes),
            Place { offset: 0x20, width: 4, count: 0x2e },
        ),
        _ => (
            loaded::<FileHeader64<Endianness>>(&bytes),
            Place { offset: 0x28, width: 8, count: 0x3a },
        ),
    };
    let Some(end) = end.filter(|end| (0x40..=bytes.len()).contains(end)) else { return bytes };
    bytes.truncate(end);
    bytes[place.offset..place.offset + place.width].fill(0);
    bytes[place.count..place.count + 6].fill(0);
    bytes
}

/// The end of the last byte that a program header names.
fn loaded<F: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<usize> {
    let header = F::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, bytes).ok()?;
    let ends = segments.iter().map(|segment| {
        let (offset, size): (u64, u64) =
            (segment.p_offset(endian).into(), segment.p_filesz(endian).into());
        offset + size
    });
    usize::try_from(ends.max()?).ok()
}

#[cfg(test)]
mod tests {
    use super::section_headers;

    #[test]
    fn the_program_still_runs_and_has_no_sections() {
        let folder = std::env::temp_dir().join(format!("mapprobe-trim-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (source, built) = (folder.join("seven.c"), folder.join("seven"));
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
        let trimmed = folder.join("trimmed");
        std::fs::write(&trimmed, &after).unwrap();
        std::fs::set_permissions(&trimmed, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
        assert_eq!(std::process::Command::new(&trimmed).status().unwrap().code(), Some(7));
        let header =
            std::process::Command::new("readelf").arg("-h").arg(&trimmed).output().unwrap();
        let header = String::from_utf8_lossy(&header.stdout).into_owned();
        assert!(header.contains("Number of section headers:         0"), "{header}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_is_no_program_stays() {
        assert_eq!(section_headers(b"#!/bin/sh\n".to_vec()), b"#!/bin/sh\n");
    }
}
