//! Builds the baseline: a program that makes a list of system calls and nothing else.

use crate::calls::{Argument, MAX_ARGUMENTS, OUTPUT_BYTES, SystemCall, TOUCH};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const TEMPLATE: &str = include_str!("baseline.c");

/// Like mapprobe, the baseline is small, static and without start code.
const COMPILER_OPTIONS: &[&str] = &[
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

/// Compiles the baseline in a directory and returns the path of the program.
///
/// # Errors
/// gcc is missing or fails.
pub fn build(calls: &[SystemCall], directory: &Path) -> Result<PathBuf> {
    let compiler = dist::workspace::program("gcc")
        .context("gcc is missing; install the Debian package gcc.")?;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("{} cannot be created", directory.display()))?;
    let (source_file, program) = (directory.join("baseline.c"), directory.join("baseline"));
    std::fs::write(&source_file, source(calls))
        .with_context(|| format!("{} cannot be written", source_file.display()))?;
    let output = dist::workspace::command(compiler)
        .args(COMPILER_OPTIONS)
        .arg("-o")
        .args([&program, &source_file])
        .output()?;
    if !output.status.success() {
        bail!(
            "{} cannot be compiled: {}",
            source_file.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(program)
}

/// The slot that always holds 0.
const ZERO_SLOT: usize = 0;
/// The slot for results that no later call needs.
const DISCARD_SLOT: usize = 1;
/// The first slot for results that later calls need.
const FIRST_RESULT_SLOT: usize = 2;

/// The slots of the calls whose results later calls need, by the index of the call.
fn result_slots(calls: &[SystemCall]) -> HashMap<usize, usize> {
    let mut slots = HashMap::new();
    for argument in calls.iter().flat_map(|call| &call.arguments) {
        if let Argument::Offset { call, .. } | Argument::OddMultiple { call, .. } = argument {
            let next = FIRST_RESULT_SLOT + slots.len();
            slots.entry(*call).or_insert(next);
        }
    }
    slots
}

/// A C array of constants without duplicates.
struct Constants {
    indices: HashMap<String, usize>,
    elements: String,
}

impl Constants {
    /// Adds a C expression and returns its index.
    fn index(&mut self, expression: String) -> usize {
        let next = self.indices.len();
        let elements = &mut self.elements;
        *self.indices.entry(expression).or_insert_with_key(|expression| {
            *elements += expression;
            *elements += ",\n";
            next
        })
    }
}

/// The address that is added to an argument when the call is made.
struct Base {
    slot: usize,
    argument: usize,
    /// 0: the address is not rounded up.
    power: u32,
}

/// The C source of the baseline.
fn source(calls: &[SystemCall]) -> String {
    let slots = result_slots(calls);
    let mut constants = Constants { indices: HashMap::new(), elements: String::new() };
    let zero = constants.index(String::from("0"));
    let (mut input, mut input_len) = (String::new(), 0);
    let mut rows = String::new();
    for (call_index, call) in calls.iter().enumerate() {
        let mut arguments = [zero; MAX_ARGUMENTS];
        let mut base = Base { slot: ZERO_SLOT, argument: 0, power: 0 };
        for (index, argument) in call.arguments.iter().enumerate() {
            arguments[index] = constants.index(match argument {
                Argument::Number(number) => format!("{number:#x}"),
                Argument::Offset { call, offset } => {
                    base = Base { slot: slots[call], argument: index, power: 0 };
                    format!("{offset:#x}")
                }
                Argument::OddMultiple { call, power } => {
                    base = Base { slot: slots[call], argument: index, power: *power };
                    String::from("0")
                }
                Argument::Input(bytes) => {
                    let start = input_len;
                    input_len += bytes.len();
                    bytes.iter().for_each(|byte| input += &format!("{byte},"));
                    input.push('\n');
                    format!("(unsigned long)(input + {start})")
                }
                Argument::Output => String::from("(unsigned long)output"),
            });
        }
        let result_slot = slots.get(&call_index).copied().unwrap_or(DISCARD_SLOT);
        let Base { slot, argument, power } = base;
        let (number, arguments) = (call.number, arguments.map(|index| index.to_string()).join(","));
        rows += &format!(
            "{{{number}, {result_slot}, {slot}, {argument}, {power}, {{{arguments}}}}},\n"
        );
    }
    let elements = constants.elements;
    let constants = format!(
        "static const char input[] = {{\n{input}0}};\n\
         static const unsigned long constants[] = {{\n{elements}}};"
    );
    let calls = format!("static const struct call calls[] = {{\n{rows}}};");
    let program = TEMPLATE
        .replace("\nCONSTANTS\n", &format!("\n{constants}\n"))
        .replace("\nCALLS\n", &format!("\n{calls}\n"));
    format!(
        "#define OUTPUT_BYTES {OUTPUT_BYTES}\n\
         #define ZERO_SLOT {ZERO_SLOT}\n\
         #define DISCARD_SLOT {DISCARD_SLOT}\n\
         #define TOUCH {TOUCH}\n\
         #define SLOTS {}\n{program}",
        FIRST_RESULT_SLOT + slots.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace;

    #[test]
    fn the_program_makes_the_calls_and_exits() {
        use Argument::{Input, Number, OddMultiple, Offset, Output};
        let call = |number, arguments| SystemCall { number, arguments };
        let flags = Number((libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64);
        let (room, page, zero) = (3 << 21, Number(4096), Number(0));
        let no_file = Number(u64::MAX);
        let calls = [
            call(
                libc::SYS_mmap,
                vec![zero.clone(), Number(room), zero.clone(), flags, no_file, zero.clone()],
            ),
            call(
                libc::SYS_mincore,
                vec![Offset { call: 0, offset: room - 4096 }, page.clone(), Output],
            ),
            // This unmaps a page, so the next calls fail with ENOMEM.
            call(libc::SYS_munmap, vec![OddMultiple { call: 0, power: 21 }, page.clone()]),
            call(libc::SYS_mincore, vec![Offset { call: 0, offset: 0 }, Number(room), Output]),
            call(libc::SYS_mincore, vec![OddMultiple { call: 0, power: 21 }, page, Output]),
            call(libc::SYS_memfd_create, vec![Input(b"name\0".to_vec()), zero]),
        ];
        let directory = dist::workspace::work().join("floor-test");
        let traced = trace::run(&build(&calls, &directory).unwrap()).unwrap().calls;
        let numbers: Vec<u64> = traced.iter().map(|call| call.number).collect();
        let mut expected: Vec<u64> = calls.iter().map(|call| call.number as u64).collect();
        expected.push(libc::SYS_exit_group as u64);
        assert_eq!(numbers, expected);
        let errors: Vec<Option<i64>> = traced.iter().map(|call| call.error).collect();
        let missing = Some(i64::from(libc::ENOMEM));
        assert_eq!(errors, [None, None, None, missing, missing, None, None]);
    }
}
