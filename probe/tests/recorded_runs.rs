//! A run that is written down can be repeated without the kernel: to the byte, or with the line that stands in the way.

use mapprobe::kernel::model::{Machine, Model, Rules};
use program::findings::{Console, record, replay};

mod program;

/// The machine the program was built for: what it records itself.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

/// What can be asked for.
const WORDS: [&[&str]; 6] = [
    &[],
    &["--thorough", "--path", "/dax/file", "--path", "/disk"],
    &["sweep"],
    &["sweep", "--path", "/ext4/file"],
    &["free-bits"],
    &["free-bits", "--path", "/tmpfs", "--path", "/dev/null"],
];
const FORMS: [&[&str]; 4] =
    [&[], &["--reproducible"], &["--format", "jsonl"], &["--format", "jsonl", "--reproducible"]];

#[test]
fn a_replay_prints_what_the_run_printed() {
    let (mut compared, mut bytes) = (0, 0);
    for (number, (name, rules)) in Rules::all().into_iter().chain(Rules::liars()).enumerate() {
        for (asked, words) in WORDS.iter().enumerate() {
            // Every form of every question, on every fourth kernel.
            for form in FORMS.iter().skip((number + asked) % FORMS.len()).take(1) {
                let words: Vec<&str> = words.iter().chain(*form).copied().collect();
                let mut model = Model::new(rules.clone());
                let (said, recording) = record(&mut model, rules.machine, &words);
                let again = replay(recording.as_bytes(), form)
                    .unwrap_or_else(|complaint| panic!("{name}: {complaint}"));
                assert!(again == said, "{name} {words:?}: the replay differs");
                (compared, bytes) = (compared + 1, bytes + said.len());
            }
        }
    }
    println!("{compared} runs, {bytes} bytes of reports");
}

/// A report of a recording does not depend on the form the run printed.
#[test]
fn a_recording_prints_every_form() {
    let rules = Rules::new(NATIVE, (6, 12));
    for words in WORDS {
        let (said, recording) = record(&mut Model::new(rules.clone()), NATIVE, words);
        let line: Vec<&str> = words.iter().chain(FORMS[2]).copied().collect();
        let (listed, other) = record(&mut Model::new(rules.clone()), NATIVE, &line);
        assert!(other == recording, "{words:?}: the form is recorded");
        assert_eq!(replay(recording.as_bytes(), &[]), Ok(said));
        assert_eq!(replay(recording.as_bytes(), FORMS[2]), Ok(listed));
    }
}

/// A report is printed row by row, without ever being whole in memory; a recorded one is whole before it is printed.
#[test]
fn a_report_is_the_same_row_by_row_and_in_one_piece() {
    let kernels = || {
        Rules::all().into_iter().chain(Rules::liars()).filter(|(_, rules)| rules.machine == NATIVE)
    };
    for (name, rules) in kernels() {
        for words in WORDS {
            let mut console = Console::on(rules.clone());
            let code = console.run(words);
            let (printed, _) = console.said();
            let (whole, _) = record(&mut Model::new(rules.clone()), NATIVE, words);
            assert!(
                code == 0 && printed == whole,
                "{name} {words:?}: exit code {code}, the reports differ"
            );
        }
    }
    assert!(kernels().count() > 10, "{}", kernels().count());
}

fn recording() -> Vec<String> {
    let words = ["--path", "/ext4/file"];
    let (_, recording) = record(&mut Model::new(Rules::new(NATIVE, (6, 12))), NATIVE, &words);
    recording.lines().map(String::from).collect()
}

/// What a recording with these lines is answered.
fn answer(lines: &[String]) -> Result<String, String> {
    replay((lines.join("\n") + "\n").as_bytes(), &[])
}

/// The number of the line that a complaint names.
#[track_caller]
fn named(complaint: &str) -> usize {
    let rest =
        complaint.strip_prefix("line ").unwrap_or_else(|| panic!("no line is named: {complaint}"));
    let (number, rest) = rest.split_once(' ').expect("a sentence");
    assert!(
        rest.starts_with("does not answer what this version of mapprobe asks next: "),
        "{complaint}"
    );
    assert!(!complaint.contains('\n'), "{complaint}");
    number.parse().expect("a number")
}

/// The call of a line, without its answer.
fn call(line: &str) -> &str {
    line.split_once(" = ").map_or(line, |(call, _)| call)
}

/// Where the calls begin: behind the first line, the architecture, and the arguments.
fn head(lines: &[String]) -> usize {
    lines.iter().position(|line| line.contains(" = ")).expect("a call")
}

#[test]
fn a_line_that_was_changed_is_named() {
    let lines = recording();
    for at in head(&lines)..lines.len() {
        for garbage in
            [&format!("x{}", lines[at]), "", "garbage", "mmap", " = 0", "mapprobe recording 1"]
        {
            let mut changed = lines.clone();
            changed[at] = garbage.to_string();
            assert_eq!(
                answer(&changed).map_err(|complaint| named(&complaint)),
                Err(at + 1),
                "{garbage}"
            );
        }
    }
    println!("{} lines", lines.len());
}

#[test]
fn an_answer_that_is_none_is_named() {
    let lines = recording();
    for at in (head(&lines)..lines.len()).step_by(7) {
        for answered in [
            "",
            " =",
            " = ",
            " = zz",
            " = -",
            " = -x",
            " = -99999",
            " = -1 > 00",
            " = 0 > 0",
            " = 0 > zz",
            " = 0 >",
            " 0",
        ] {
            let mut changed = lines.clone();
            changed[at] = format!("{}{answered}", call(&lines[at]));
            // Behind "= " a value may be missing: that is a zero, and perhaps another run.
            let Err(complaint) = answer(&changed) else { continue };
            assert!(named(&complaint) > at, "{}: {complaint}", changed[at]);
            if ["", " =", " = zz", " = -x", " = -99999", " = -1 > 00", " 0"].contains(&answered) {
                assert_eq!(named(&complaint), at + 1, "{}: {complaint}", changed[at]);
            }
        }
    }
}

#[test]
fn a_line_that_is_missing_is_named() {
    let lines = recording();
    for at in head(&lines)..lines.len() {
        let mut shorter = lines.clone();
        shorter.remove(at);
        // Where the same is asked over and over the gap shows at the end of that.
        let shows = lines.windows(2).skip(at).position(|pair| call(&pair[0]) != call(&pair[1]));
        let shows = at + shows.unwrap_or(lines.len() - 1 - at);
        // A file that is read in pieces is just shorter: only the count of the calls tells.
        let shows = if call(&lines[at]).starts_with("read ") { lines.len() } else { shows };
        let complaint = answer(&shorter).expect_err("a gap");
        assert!(
            (at + 1..=shows + 1).contains(&named(&complaint)),
            "line {} of {}: {complaint}",
            at + 1,
            lines.len()
        );
    }
    for end in head(&lines)..lines.len() {
        assert_eq!(named(&answer(&lines[..end]).expect_err("no end")), end + 1);
    }
}

#[test]
fn a_line_too_many_is_named() {
    let lines = recording();
    for at in head(&lines)..=lines.len() {
        let mut longer = lines.clone();
        longer.insert(at, "getpid = 7".to_string());
        let complaint = answer(&longer).expect_err("a line too many");
        let asked_for = lines.get(at).is_some_and(|line| call(line) == "getpid");
        assert_eq!(named(&complaint), at + 1 + usize::from(asked_for), "{complaint}");
    }
}

#[test]
fn what_is_no_recording_is_not_taken_for_one() {
    let lines = recording();
    let (first, arch) = (&lines[0], &lines[1]);
    let garbage = [
        "",
        "\n",
        "garbage",
        "{}",
        "mapprobe recording 2\narch x86_64\n",
        "mapprobe recording 1\n",
    ];
    let more = [
        format!("{first}\narch vax\n"),
        format!("{arch}\n{first}\n"),
        format!("{first}\n\n{arch}\n"),
    ];
    for text in garbage.into_iter().chain(more.iter().map(String::as_str)) {
        let complaint = replay(text.as_bytes(), &[]).expect_err("no recording");
        assert!(complaint.starts_with("no recording: "), "{text}: {complaint}");
    }
    assert!(
        replay(&[0xff; 4096], &[]).is_err_and(|complaint| complaint.starts_with("no recording"))
    );
    for argument in ["--format", "--bogus", "stray", "--help", "--version", "\u{fffd}", ""] {
        let mut other = lines.clone();
        other.insert(2, format!("argument {argument}"));
        assert!(answer(&other).is_err(), "{argument}");
    }
    // Bytes that are no text, in a call and in an argument.
    let at = lines[..head(&lines)].join("\n").len() + 1;
    let mut bytes = (lines.join("\n") + "\n").into_bytes();
    bytes[at] = 0xff;
    assert_eq!(named(&replay(&bytes, &[]).expect_err("no text")), head(&lines) + 1);
}

/// The same through a file, as a person does it.
#[test]
fn from_the_command_line() {
    for words in WORDS {
        let mut console = Console::on(Rules::new(NATIVE, (6, 12)));
        let words: Vec<&str> =
            words.iter().chain(&["--record", "/tmpfs/recording"]).copied().collect();
        assert_eq!(console.run(&words), 0);
        let (said, complained) = console.said();
        assert_eq!(complained, "");
        assert_eq!(console.run(&["--replay", "/tmpfs/recording"]), 0);
        assert_eq!(console.said(), (said, String::new()), "{words:?}");
        assert_eq!(console.model.left(), ["file /tmpfs/recording"]);
    }
    let lines = recording();
    let mut console = Console::on(Rules::new(NATIVE, (6, 12)));
    for (text, complaint) in [
        ("garbage\n".to_string(), "no recording"),
        (lines[..10].join("\n") + "\n", "line 11 does not answer"),
        (lines.join("\n") + "\ngarbage\n", &format!("line {} does not answer", lines.len() + 1)),
    ] {
        console.file("/tmpfs/recording", text.as_bytes());
        assert_eq!(console.run(&["--replay", "/tmpfs/recording"]), 2);
        let (said, complained) = console.said();
        assert!(
            complained.starts_with(&format!("mapprobe: /tmpfs/recording: {complaint}")),
            "{complained}"
        );
        assert_eq!((said.as_str(), complained.lines().count(), console.model.open()), ("", 1, 0));
    }
    for words in [&["--replay", "/tmpfs/none"][..], &["--record", "/nowhere/file"]] {
        assert_eq!(console.run(words), 2, "{words:?}");
        let (said, complained) = console.said();
        assert!(
            said.is_empty() && complained.starts_with(&format!("mapprobe: {}: can", words[1])),
            "{complained}"
        );
        assert_eq!(console.model.open(), 0, "{words:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_closed() {
    let mut console = Console::on(Rules::new(NATIVE, (6, 12)));
    assert_eq!(console.run(&["--replay", "/ext4"]), 2);
    assert_eq!(
        console.said(),
        (String::new(), "mapprobe: /ext4: cannot be read: EISDIR\n".to_string())
    );
    assert_eq!(console.model.open(), 0);
}
