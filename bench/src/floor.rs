//! A list of system calls as a program that makes them and nothing else: what no program that asks the same can go below.

use crate::calls::{Argument, ROOM, SystemCall};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The program around the list.
const PROGRAM: &str = include_str!("floor.c");

/// How it is compiled: small, at a fixed address, and without start code, as the delivered program is.
const FLAGS: &[&str] = &[
    "-O2",
    "-static",
    "-nostdlib",
    "-fno-pie",
    "-no-pie",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-Wl,-z,norelro,-z,noseparate-code,--build-id=none",
    "-s",
];

/// Compiles the list in a folder, and answers where the program is.
///
/// # Errors
/// A sentence with what the compiler said.
pub fn build(calls: &[SystemCall], folder: &Path) -> Result<PathBuf> {
    let compiler = dist::workspace::program("gcc")
        .context("gcc is not here; install the Debian package gcc.")?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let (from, to) = (folder.join("floor.c"), folder.join("floor"));
    std::fs::write(&from, source(calls))
        .with_context(|| format!("{} cannot be written", from.display()))?;
    let made =
        dist::workspace::command(compiler).args(FLAGS).arg("-o").args([&to, &from]).output()?;
    if !made.status.success() {
        bail!(
            "{} was not compiled: {}",
            from.display(),
            String::from_utf8_lossy(&made.stderr).trim()
        );
    }
    Ok(to)
}

/// Arguments of a system call at most.
const ARGUMENTS: usize = 6;
/// Where answers are kept that nobody asks for; before it is one that is always 0.
const UNUSED: usize = 1;

/// Constants, each once.
struct Constants {
    places: HashMap<String, usize>,
    text: String,
}

impl Constants {
    fn place(&mut self, constant: String) -> usize {
        let next = self.places.len();
        let text = &mut self.text;
        *self.places.entry(constant).or_insert_with_key(|constant| {
            *text += constant;
            *text += ",\n";
            next
        })
    }
}

fn source(calls: &[SystemCall]) -> String {
    // Which answers are needed again, and where they are kept.
    let mut kept: HashMap<usize, usize> = HashMap::new();
    for argument in calls.iter().flat_map(|call| &call.arguments) {
        if let Argument::Mapped { call, .. } | Argument::Odd { call, .. } = argument {
            let next = UNUSED + 1 + kept.len();
            kept.entry(*call).or_insert(next);
        }
    }
    // Zero first: what a call without arguments points to, and the exit code.
    let mut constants = Constants { places: HashMap::new(), text: String::new() };
    constants.place(String::from("0"));
    let (mut input, mut rows) = (String::new(), String::new());
    let mut input_len = 0;
    for (at, call) in calls.iter().enumerate() {
        let mut places = [0; ARGUMENTS];
        let (mut base, mut moved, mut aligned) = (0, 0, 0);
        for (at, argument) in call.arguments.iter().enumerate() {
            places[at] = constants.place(match argument {
                Argument::Plain(number) => format!("{number:#x}"),
                Argument::Mapped { call, offset } => {
                    (base, moved) = (kept[call], at);
                    format!("{offset:#x}")
                }
                Argument::Odd { call, power } => {
                    (base, moved, aligned) = (kept[call], at, *power);
                    String::from("0")
                }
                Argument::Input(bytes) => {
                    let from = input_len;
                    input_len += bytes.len();
                    bytes.iter().for_each(|byte| input += &format!("{byte},"));
                    input.push('\n');
                    format!("(unsigned long)(input + {from})")
                }
                Argument::Output => String::from("(unsigned long)output"),
            });
        }
        let keep = kept.get(&at).copied().unwrap_or(UNUSED);
        let places = places.map(|place| place.to_string()).join(",");
        let _ = writeln!(
            rows,
            "{{{}, {keep}, {base}, {moved}, {aligned}, {{{places}}}}},",
            call.number
        );
    }
    let constants = format!(
        "static const char input[] = {{\n{input}0}};\nstatic const unsigned long constants[] = {{\n{}0,0,0,0,0}};",
        constants.text
    );
    let calls = format!("static const struct call calls[] = {{\n{rows}}};");
    let (head, kept) = (format!("#define ROOM {ROOM}\n"), UNUSED + 1 + kept.len());
    let program = PROGRAM.replace("\nCONSTANTS\n", &format!("\n{constants}\n"));
    format!("{head}#define KEPT {kept}\n{}", program.replace("\nCALLS\n", &format!("\n{calls}\n")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace;

    #[test]
    fn it_makes_the_calls_of_the_list_and_ends() {
        use Argument::{Mapped, Odd, Output, Plain};
        let call = |number, arguments| SystemCall { number, arguments };
        let (private, nothing) = ((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64, u64::MAX);
        let (room, page) = (3 << 21, Plain(4096));
        let calls = [
            call(
                libc::SYS_mmap,
                vec![Plain(0), Plain(room), Plain(0), Plain(private), Plain(nothing), Plain(0)],
            ),
            call(
                libc::SYS_mincore,
                vec![Mapped { call: 0, offset: room - 4096 }, page.clone(), Output],
            ),
            call(libc::SYS_munmap, vec![Odd { call: 0, power: 21 }, page.clone()]),
            // Now there is a hole in it.
            call(libc::SYS_mincore, vec![Mapped { call: 0, offset: 0 }, Plain(room), Output]),
            call(libc::SYS_mincore, vec![Odd { call: 0, power: 21 }, page, Output]),
            call(libc::SYS_memfd_create, vec![Argument::Input(b"name\0".to_vec()), Plain(0)]),
        ];
        let folder = dist::workspace::work().join("floor-test");
        let made = trace::run(&build(&calls, &folder).unwrap()).unwrap().calls;
        let numbers: Vec<u64> = calls
            .iter()
            .map(|call| call.number as u64)
            .chain([libc::SYS_exit_group as u64])
            .collect();
        assert_eq!(made.iter().map(|made| made.number).collect::<Vec<_>>(), numbers);
        let missing = i64::from(libc::ENOMEM);
        assert_eq!(
            made.iter().map(|made| made.errno).collect::<Vec<_>>(),
            [0, 0, 0, missing, missing, 0, 0]
        );
    }
}
