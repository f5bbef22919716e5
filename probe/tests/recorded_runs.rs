//! Recorded runs replay without the kernel, byte by byte. A recording that does not fit is reported
//! with the number of the line.

use program::console::Console;
use program::files::create_file;
use program::recordings::{record, replay};
use simulator::{Machine, Rules, SimulatedKernel};

mod program {
    pub mod console;
    pub mod files;
    pub mod machine;
    pub mod query;
    pub mod recordings;
    pub mod report_text;
}

/// The machine of this build, whose runs the program records itself.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

const QUERIES: [&[&str]; 6] = [
    &[],
    &["--thorough", "--path", "/dax/file", "--path", "/disk"],
    &["sweep"],
    &["sweep", "--path", "/ext4/file"],
    &["free-bits"],
    &["free-bits", "--path", "/tmpfs", "--path", "/dev/null"],
];
/// Options that a replay takes, too.
const OUTPUT_OPTIONS: [&[&str]; 4] =
    [&[], &["--reproducible"], &["--format", "jsonl"], &["--format", "jsonl", "--reproducible"]];

/// The file of the recordings below.
const RECORDING: &str = "/tmpfs/recording";

fn every_kernel() -> impl Iterator<Item = (String, Rules)> {
    Rules::all().into_iter().chain(Rules::hostile())
}

fn native_rules() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

#[test]
fn a_replay_prints_what_the_run_printed() {
    let (mut runs, mut bytes) = (0, 0);
    for (number, (name, rules)) in every_kernel().enumerate() {
        for (index, query) in QUERIES.iter().enumerate() {
            // Each query gets each of the output options on every fourth kernel.
            let options = OUTPUT_OPTIONS[(number + index) % OUTPUT_OPTIONS.len()];
            let arguments = [query, options].concat();
            let mut kernel = SimulatedKernel::new(rules.clone());
            let (output, recording) = record(&mut kernel, rules.machine, &arguments);
            let replayed = replay(recording.as_bytes(), options)
                .unwrap_or_else(|message| panic!("{name}: {message}"));
            assert!(replayed == output, "{name} {arguments:?}: the replay differs");
            (runs, bytes) = (runs + 1, bytes + output.len());
        }
    }
    println!("{runs} runs, {bytes} bytes of reports");
}

/// The format of the run is not part of a recording.
#[test]
fn a_recording_replays_in_every_format() {
    let jsonl = OUTPUT_OPTIONS[2];
    for query in QUERIES {
        let record = |arguments: &[&str]| {
            record(&mut SimulatedKernel::new(native_rules()), NATIVE, arguments)
        };
        let (json_output, recording) = record(query);
        let (jsonl_output, other_recording) = record(&[query, jsonl].concat());
        assert!(other_recording == recording, "{query:?}: the format is recorded");
        assert_eq!(replay(recording.as_bytes(), &[]), Ok(json_output));
        assert_eq!(replay(recording.as_bytes(), jsonl), Ok(jsonl_output));
    }
}

/// The program prints a report row by row, without the whole report in memory; the report of a
/// recorded run is whole before it is printed.
#[test]
fn a_report_is_the_same_row_by_row_and_as_a_whole() {
    let mut kernels = 0;
    for (name, rules) in every_kernel().filter(|(_, rules)| rules.machine == NATIVE) {
        kernels += 1;
        for query in QUERIES {
            let mut console = Console::on(rules.clone());
            let exit = console.run(query);
            let (printed, _) = console.take_output();
            let (whole, _) = record(&mut SimulatedKernel::new(rules.clone()), NATIVE, query);
            assert_eq!(exit, 0, "{name} {query:?}");
            assert!(printed == whole, "{name} {query:?}: the reports differ");
        }
    }
    assert!(kernels > 10, "{kernels} kernels");
}

/// The lines of a recording.
fn recorded_lines() -> Vec<String> {
    let arguments = ["--path", "/ext4/file"];
    let mut kernel = SimulatedKernel::new(native_rules());
    let (_, recording) = record(&mut kernel, NATIVE, &arguments);
    recording.lines().map(String::from).collect()
}

/// The index of the first call; the first line, the architecture and the arguments are before it.
fn first_call(lines: &[String]) -> usize {
    lines.iter().position(|line| line.contains(" = ")).expect("a call")
}

/// A recorded call without its result.
fn without_result(line: &str) -> &str {
    line.split_once(" = ").map_or(line, |(call, _)| call)
}

/// Replays a recording with these lines.
fn replay_lines(lines: &[String]) -> Result<String, String> {
    replay((lines.join("\n") + "\n").as_bytes(), &[])
}

/// The number of the line that an error message names.
#[track_caller]
fn line_number(message: &str) -> usize {
    let numbered = message.strip_prefix("line ").and_then(|rest| rest.split_once(' '));
    let (number, problem) = numbered.unwrap_or_else(|| panic!("no line number: {message}"));
    assert!(problem.starts_with("does not fit this version of mapprobe; expected: "), "{message}");
    assert!(!message.contains('\n'), "{message}");
    number.parse().expect("a number")
}

#[test]
fn a_changed_line_is_reported() {
    let lines = recorded_lines();
    for index in first_call(&lines)..lines.len() {
        let longer = format!("x{}", lines[index]);
        for garbage in [&longer, "", "garbage", "mmap", " = 0", "mapprobe recording 1"] {
            let mut changed = lines.clone();
            changed[index] = garbage.to_owned();
            let message = replay_lines(&changed).expect_err("a changed line");
            assert_eq!(line_number(&message), index + 1, "{garbage}");
        }
    }
    println!("{} lines", lines.len());
}

#[test]
fn an_invalid_result_is_reported() {
    const INVALID: [&str; 10] =
        ["", " =", " = ", " = zz", " = -", " = -x", " = -99999", " = -1 > 00", " = 0 >", " 0"];
    // Valid results of calls that fill bytes in, though those of another run.
    const OF_SOME_CALLS: [&str; 2] = [" = 0 > 0", " = 0 > zz"];
    let lines = recorded_lines();
    // The last line has no result.
    for index in (first_call(&lines)..lines.len() - 1).step_by(7) {
        let replay_with = |result: &str| {
            let mut changed = lines.clone();
            changed[index] = format!("{}{result}", without_result(&lines[index]));
            replay_lines(&changed).map_err(|message| line_number(&message))
        };
        for result in INVALID {
            assert_eq!(replay_with(result), Err(index + 1), "{}: {result}", lines[index]);
        }
        for result in OF_SOME_CALLS {
            let number = replay_with(result).err();
            assert!(number.is_none_or(|number| number > index), "{}: {result}", lines[index]);
        }
    }
}

#[test]
fn a_missing_line_is_reported() {
    let lines = recorded_lines();
    for index in first_call(&lines)..lines.len() {
        let mut shorter = lines.clone();
        shorter.remove(index);
        let call = without_result(&lines[index]);
        // Between equal calls the gap shows behind the last of them. A file that is read in pieces
        // is just shorter, and the gap shows in the number of calls.
        let equal = lines[index..].iter().take_while(|line| without_result(line) == call).count();
        let last = if call.starts_with("read ") { lines.len() + 1 } else { index + equal };
        let message = replay_lines(&shorter).expect_err("a missing line");
        assert!(
            (index + 1..=last).contains(&line_number(&message)),
            "line {} of {}: {message}",
            index + 1,
            lines.len()
        );
    }
    for end in first_call(&lines)..lines.len() {
        assert_eq!(line_number(&replay_lines(&lines[..end]).expect_err("no end")), end + 1);
    }
}

#[test]
fn an_additional_line_is_reported() {
    let lines = recorded_lines();
    for index in first_call(&lines)..=lines.len() {
        let mut longer = lines.clone();
        longer.insert(index, "getpid = 7".to_owned());
        let message = replay_lines(&longer).expect_err("an additional line");
        let fits = lines.get(index).is_some_and(|line| without_result(line) == "getpid");
        assert_eq!(line_number(&message), index + 1 + usize::from(fits), "{message}");
    }
}

#[test]
fn other_files_are_no_recordings() {
    let lines = recorded_lines();
    let (first, arch) = (&lines[0], &lines[1]);
    for text in [
        "",
        "\n",
        "garbage",
        "{}",
        "mapprobe recording 3\narch x86_64\n",
        "mapprobe recording 1\n",
        &format!("{first}\narch vax\n"),
        &format!("{arch}\n{first}\n"),
        &format!("{first}\n\n{arch}\n"),
    ] {
        expect_not_a_recording(text.as_bytes());
    }
    expect_not_a_recording(&[0xff; 4096]);
}

#[track_caller]
fn expect_not_a_recording(bytes: &[u8]) {
    let message = replay(bytes, &[]).expect_err("not a recording");
    assert!(message.starts_with("not a recording: "), "{message}");
}

#[test]
fn invalid_arguments_are_reported() {
    let lines = recorded_lines();
    for argument in ["--format", "--bogus", "stray", "--help", "--version", "\u{fffd}", ""] {
        let mut other = lines.clone();
        other.insert(2, format!("argument {argument}"));
        assert!(replay_lines(&other).is_err(), "{argument}");
    }
}

#[test]
fn a_call_that_is_not_utf8_is_reported() {
    let lines = recorded_lines();
    let first_call = first_call(&lines);
    let start = lines[..first_call].join("\n").len() + 1;
    let mut bytes = (lines.join("\n") + "\n").into_bytes();
    bytes[start] = 0xff;
    assert_eq!(line_number(&replay(&bytes, &[]).expect_err("not UTF-8")), first_call + 1);
}

#[test]
fn record_and_replay_on_the_command_line() {
    for query in QUERIES {
        let mut console = Console::on(native_rules());
        assert_eq!(console.run(&[query, &["--record", RECORDING]].concat()), 0);
        let (output, messages) = console.take_output();
        assert_eq!(messages, "");
        assert_eq!(console.run(&["--replay", RECORDING]), 0);
        assert_eq!(console.take_output(), (output, String::new()), "{query:?}");
        assert_eq!(console.simulated.leftovers(), [format!("file {RECORDING}")]);
    }
}

#[test]
fn a_recording_that_does_not_fit_ends_the_program() {
    let lines = recorded_lines();
    let mut console = Console::on(native_rules());
    let line_behind_the_end = format!("line {} does not fit", lines.len() + 1);
    for (recording, message) in [
        ("garbage\n".to_owned(), "not a recording: "),
        (lines[..10].join("\n") + "\n", "line 11 does not fit"),
        (lines.join("\n") + "\ngarbage\n", &line_behind_the_end),
    ] {
        create_file(&mut console, RECORDING, recording.as_bytes());
        assert_eq!(console.run(&["--replay", RECORDING]), 2);
        let (output, messages) = console.take_output();
        let beginning = format!("mapprobe: {RECORDING}: {message}");
        assert!(messages.starts_with(&beginning), "{messages}");
        assert_eq!((output.as_str(), messages.lines().count()), ("", 1));
        assert_eq!(console.simulated.descriptor_count(), 0);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_reported_and_closed() {
    for (arguments, message) in [
        (["--replay", "/tmpfs/none"], "/tmpfs/none: cannot be read: ENOENT"),
        (["--record", "/nowhere/file"], "/nowhere/file: cannot be written: ENOENT"),
        (["--replay", "/ext4"], "/ext4: cannot be read: EISDIR"),
    ] {
        let mut console = Console::on(native_rules());
        assert_eq!(console.run(&arguments), 2, "{arguments:?}");
        assert_eq!(console.take_output(), (String::new(), format!("mapprobe: {message}\n")));
        assert_eq!(console.simulated.descriptor_count(), 0, "{arguments:?}");
    }
}
