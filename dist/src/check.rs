//! Checks a program before it becomes a build artifact. Does no I/O.

use object::elf::{
    ELFCLASS32, ELFCLASS64, FileHeader32, FileHeader64, PF_W, PF_X, PT_DYNAMIC, PT_INTERP,
};
use object::read::elf::{FileHeader, ProgramHeader};
use std::fmt;
use targets::{Elf, Target};

/// A failed check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedCheck {
    /// Not a valid ELF file, for this reason.
    NotElf(String),
    /// `e_type` is not `ET_EXEC`.
    NotProgram(u16),
    /// For another architecture.
    WrongMachine(Elf),
    /// A program header of dynamic linking: `INTERP` or `DYNAMIC`.
    NotStatic(&'static str),
    /// The index of a program header that is writable and executable.
    WritableAndExecutable(usize),
    /// A path of the build machine is in the file.
    Path(String),
    /// The size in bytes, if larger than the budget.
    OverBudget(u64),
}

/// Every failed check. `paths` are directories of the build machine. The budget is enforced only if
/// std was rebuilt.
pub fn failed_checks(
    bytes: &[u8],
    target: &Target,
    paths: &[String],
    std_rebuilt: bool,
) -> Vec<FailedCheck> {
    let mut found = match (bytes.get(..4), bytes.get(4)) {
        (Some(b"\x7fELF"), Some(&class)) if class == ELFCLASS32.0 => {
            headers::<FileHeader32<object::Endianness>>(bytes, target)
        }
        (Some(b"\x7fELF"), Some(&class)) if class == ELFCLASS64.0 => {
            headers::<FileHeader64<object::Endianness>>(bytes, target)
        }
        _ => vec![FailedCheck::NotElf("its magic number is missing".into())],
    };
    found.extend(paths.iter().filter(|path| contains(bytes, path)).cloned().map(FailedCheck::Path));
    if std_rebuilt && over_budget(bytes, target) {
        found.push(FailedCheck::OverBudget(bytes.len() as u64));
    }
    found
}

pub fn over_budget(bytes: &[u8], target: &Target) -> bool {
    bytes.len() as u64 > target.budget
}

/// One message for all failed checks.
pub fn messages(failed: &[FailedCheck], target: &Target) -> String {
    let message = |failed: &FailedCheck| failed.message(target);
    failed.iter().map(message).collect::<Vec<_>>().join(" ")
}

fn headers<F: FileHeader<Endian = object::Endianness>>(
    bytes: &[u8],
    target: &Target,
) -> Vec<FailedCheck> {
    let not_elf = |reason: object::Error| vec![FailedCheck::NotElf(reason.to_string())];
    let header = match F::parse(bytes) {
        Ok(header) => header,
        Err(reason) => return not_elf(reason),
    };
    let endian = match header.endian() {
        Ok(endian) => endian,
        Err(reason) => return not_elf(reason),
    };
    let segments = match header.program_headers(endian, bytes) {
        Ok(segments) => segments,
        Err(reason) => return not_elf(reason),
    };
    let mut found = Vec::new();
    let machine = Elf {
        machine: header.e_machine(endian).0,
        bits: if header.is_class_64() { 64 } else { 32 },
        big_endian: header.is_big_endian(),
    };
    if machine != target.elf {
        found.push(FailedCheck::WrongMachine(machine));
    }
    if header.e_type(endian) != object::elf::ET_EXEC {
        found.push(FailedCheck::NotProgram(header.e_type(endian).0));
    }
    for (at, segment) in segments.iter().enumerate() {
        match segment.p_type(endian) {
            PT_INTERP => found.push(FailedCheck::NotStatic("INTERP")),
            PT_DYNAMIC => found.push(FailedCheck::NotStatic("DYNAMIC")),
            _ => {}
        }
        if segment.p_flags(endian) & (PF_W | PF_X) == PF_W | PF_X {
            found.push(FailedCheck::WritableAndExecutable(at));
        }
    }
    found
}

/// Whether a file contains a path below a directory.
fn contains(bytes: &[u8], directory: &str) -> bool {
    let path = format!("{}/", directory.trim_end_matches('/'));
    path.len() > 1 && bytes.windows(path.len()).any(|window| window == path.as_bytes())
}

impl FailedCheck {
    /// The result, and what was expected.
    pub fn message(&self, target: &Target) -> String {
        let (name, budget) = (target.arch.name(), target.budget);
        match self {
            FailedCheck::NotElf(reason) => {
                format!("It is not a valid ELF file ({reason}); a program of {name} was expected.")
            }
            FailedCheck::NotProgram(found) => {
                format!(
                    "Its e_type is {found}; 2 (ET_EXEC) was expected: a program at a fixed \
                     address that relocates nothing."
                )
            }
            FailedCheck::WrongMachine(found) => {
                format!(
                    "It is for {}; {name} is {}.",
                    Identification(found),
                    Identification(&target.elf)
                )
            }
            FailedCheck::NotStatic(header) => {
                format!("It has a program header {header}; a static program was expected.")
            }
            FailedCheck::WritableAndExecutable(at) => {
                format!(
                    "Its program header {at} is writable and executable; no memory should be both."
                )
            }
            FailedCheck::Path(path) => {
                format!(
                    "It contains {path}, a path of the build machine, so its bytes depend on \
                     where it was built."
                )
            }
            FailedCheck::OverBudget(size) => {
                format!(
                    "It is {size} bytes; the budget of {name} is {budget} \
                     (targets/src/{name}.rs), {} less.",
                    size - budget
                )
            }
        }
    }
}

/// Prints `e_machine`, class and byte order.
struct Identification<'a>(&'a Elf);

impl fmt::Display for Identification<'_> {
    fn fmt(&self, to: &mut fmt::Formatter) -> fmt::Result {
        let order = if self.0.big_endian { "big-endian" } else { "little-endian" };
        write!(to, "e_machine {}, {} bits, {order}", self.0.machine, self.0.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::{FailedCheck, failed_checks};
    use targets::{ALL, Elf, Target};

    const R_X: u32 = 5;
    const LOAD: u32 = 1;

    /// An ELF file with the given program headers `(p_type, p_flags)` and nothing else.
    fn forged(elf: &Elf, e_type: u16, segments: &[(u32, u32)]) -> Vec<u8> {
        let wide = elf.bits == 64;
        let half =
            |value: u16| if elf.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let word =
            |value: u32| if elf.big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let address = |value: u32| match (wide, elf.big_endian) {
            (true, false) => u64::from(value).to_le_bytes().to_vec(),
            (true, true) => u64::from(value).to_be_bytes().to_vec(),
            (false, _) => word(value).to_vec(),
        };
        let (header, entry) = if wide { (64, 56) } else { (52, 32) };
        let mut bytes = vec![
            0x7f,
            b'E',
            b'L',
            b'F',
            if wide { 2 } else { 1 },
            if elf.big_endian { 2 } else { 1 },
            1,
        ];
        bytes.resize(16, 0);
        bytes.extend([half(e_type), half(elf.machine)].concat());
        bytes.extend(
            [word(1).to_vec(), address(0x10000), address(header), address(0), word(0).to_vec()]
                .concat(),
        );
        for value in [header as u16, entry, segments.len() as u16, 0, 0, 0] {
            bytes.extend(half(value));
        }
        for (p_type, p_flags) in segments {
            let fields =
                [address(0), address(0x10000), address(0x10000), address(0), address(0)].concat();
            if wide {
                bytes.extend(
                    [word(*p_type).to_vec(), word(*p_flags).to_vec(), fields, address(4096)]
                        .concat(),
                );
            } else {
                bytes.extend(
                    [word(*p_type).to_vec(), fields, word(*p_flags).to_vec(), word(4096).to_vec()]
                        .concat(),
                );
            }
        }
        bytes
    }

    fn valid(target: &Target) -> Vec<u8> {
        forged(&target.elf, 2, &[(LOAD, R_X), (LOAD, 6), (0x6474_e551, 6)])
    }

    #[test]
    fn a_valid_program_passes_on_every_target() {
        for target in ALL {
            assert_eq!(
                failed_checks(&valid(target), target, &["/home/somebody".into()], true),
                [],
                "{}",
                target.arch.name()
            );
        }
    }

    #[test]
    fn a_dynamic_file_is_rejected() {
        for target in ALL {
            let found = |kind| {
                failed_checks(&forged(&target.elf, 2, &[(LOAD, R_X), (kind, 4)]), target, &[], true)
            };
            assert_eq!(found(3), [FailedCheck::NotStatic("INTERP")]);
            assert_eq!(found(2), [FailedCheck::NotStatic("DYNAMIC")]);
        }
    }

    #[test]
    fn a_position_independent_file_is_rejected() {
        for target in ALL {
            assert_eq!(
                failed_checks(&forged(&target.elf, 3, &[(LOAD, R_X)]), target, &[], true),
                [FailedCheck::NotProgram(3)]
            );
        }
    }

    #[test]
    fn a_file_for_another_architecture_is_rejected() {
        for target in ALL {
            for other in ALL {
                let found = failed_checks(&valid(other), target, &[], true);
                let expected = if other.elf == target.elf {
                    vec![]
                } else {
                    vec![FailedCheck::WrongMachine(other.elf)]
                };
                assert_eq!(found, expected);
            }
            let turned = Elf { big_endian: !target.elf.big_endian, ..target.elf };
            let bytes = forged(&turned, 2, &[(LOAD, R_X)]);
            assert_eq!(
                failed_checks(&bytes, target, &[], true),
                [FailedCheck::WrongMachine(turned)],
                "byte order"
            );
            let other_class = Elf { bits: 96 - target.elf.bits, ..target.elf };
            let bytes = forged(&other_class, 2, &[(LOAD, R_X)]);
            assert_eq!(
                failed_checks(&bytes, target, &[], true),
                [FailedCheck::WrongMachine(other_class)],
                "class"
            );
        }
    }

    #[test]
    fn memory_that_is_writable_and_executable_is_rejected() {
        for target in ALL {
            let load = forged(&target.elf, 2, &[(LOAD, R_X), (LOAD, 7)]);
            assert_eq!(
                failed_checks(&load, target, &[], true),
                [FailedCheck::WritableAndExecutable(1)]
            );
            let stack = forged(&target.elf, 2, &[(LOAD, R_X), (0x6474_e551, 7)]);
            assert_eq!(
                failed_checks(&stack, target, &[], true),
                [FailedCheck::WritableAndExecutable(1)]
            );
        }
    }

    #[test]
    fn a_path_of_the_build_machine_is_rejected() {
        let target = ALL[0];
        let file = |text: &str| [valid(target), text.into()].concat();
        let found = |bytes: &[u8]| {
            failed_checks(
                bytes,
                target,
                &["/home/somebody".into(), "/".into(), String::new()],
                true,
            )
        };
        assert_eq!(
            found(&file("x/home/somebody/src/main.rs")),
            [FailedCheck::Path("/home/somebody".into())]
        );
        assert_eq!(found(&file("/home/somebody-else/src")), []);
    }

    #[test]
    fn a_file_over_its_budget_is_rejected_when_std_was_rebuilt() {
        for target in ALL {
            let mut bytes = valid(target);
            bytes.resize(target.budget as usize, 0);
            assert_eq!(failed_checks(&bytes, target, &[], true), []);
            bytes.push(0);
            assert_eq!(
                failed_checks(&bytes, target, &[], true),
                [FailedCheck::OverBudget(target.budget + 1)]
            );
            assert_eq!(failed_checks(&bytes, target, &[], false), []);
        }
    }

    #[test]
    fn other_files_are_rejected() {
        for bytes in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x02\x01", &valid(ALL[0])[..70]] {
            assert!(
                matches!(failed_checks(bytes, ALL[0], &[], true)[..], [FailedCheck::NotElf(_)]),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn every_message_names_what_was_expected() {
        let target = ALL[2];
        for (failed, expected) in [
            (FailedCheck::NotElf("short".into()), "a program of hppa was expected"),
            (FailedCheck::NotProgram(3), "2 (ET_EXEC) was expected"),
            (FailedCheck::WrongMachine(ALL[0].elf), "hppa is e_machine 15, 32 bits, big-endian"),
            (FailedCheck::NotStatic("INTERP"), "a static program was expected"),
            (FailedCheck::WritableAndExecutable(1), "no memory should be both"),
            (FailedCheck::Path("/home/x".into()), "depend on where it was built"),
            (FailedCheck::OverBudget(target.budget + 7), "7 less"),
        ] {
            let message = failed.message(target);
            assert!(message.contains(expected), "{message}");
        }
    }
}
