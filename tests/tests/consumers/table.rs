//! `table`, on a terminal and in a pipe. The terminal is made by `script`.

use super::*;
use lab::host_packages;

/// The output of the program of an architecture on a terminal.
fn on_a_terminal(arch: Arch, arguments: &[&str], no_color: Option<&str>) -> String {
    let mut line = String::new();
    for word in targets::of(arch)
        .emulator
        .into_iter()
        .chain([artifacts::of(arch).unwrap().path.to_str().unwrap()])
        .chain(arguments.iter().copied())
    {
        line += &format!("'{word}' ");
    }
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).env_remove("NO_COLOR");
    command.envs(no_color.map(|value| ("NO_COLOR", value)));
    let run = command.output().unwrap();
    assert!(run.status.success(), "{line}: {run:?}");
    // A terminal receives a carriage return and a line feed.
    String::from_utf8(run.stdout).unwrap().replace("\r\n", "\n")
}

/// The text without color sequences, and the number of sequences.
fn plain(text: &str) -> (String, usize) {
    let mut pieces = text.split("\u{1b}[");
    let mut plain = pieces.next().unwrap().to_owned();
    let mut count = 0;
    for piece in pieces {
        let (number, behind) = piece.split_once('m').unwrap();
        assert!(number.bytes().all(|digit| digit.is_ascii_digit()), "{piece:?}");
        plain += behind;
        count += 1;
    }
    (plain, count)
}

#[test]
fn verdicts_are_colored_only_on_a_terminal() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    host_packages::need(host_packages::TERMINAL).unwrap();
    let kernel = kernels().iter().find(|kernel| kernel.name == "hppa-6.1.report").unwrap();
    let arguments = ["--format", "table", "--replay", kernel.recording.to_str().unwrap()];
    let piped = kernel.text(&arguments[..2]);
    assert!(!piped.contains('\u{1b}'));
    for arch in Arch::ALL {
        // The variable counts only if its value is not empty (no-color.org).
        for no_color in [None, Some("")] {
            let coloured = on_a_terminal(arch, &arguments, no_color);
            assert_eq!(
                plain(&coloured),
                (piped.clone(), 2 * kernel.verdicts().len()),
                "{} {no_color:?}",
                arch.name()
            );
            assert!(coloured.contains("\u{1b}[32mhonored\u{1b}[0m "), "{coloured}");
        }
        for no_color in ["1", "0", "no"] {
            assert_eq!(
                on_a_terminal(arch, &arguments, Some(no_color)),
                piped,
                "{} {no_color}",
                arch.name()
            );
        }
    }
}

#[test]
fn other_formats_have_no_colors() {
    host_packages::need(host_packages::TERMINAL).unwrap();
    let kernel = &kernels()[0];
    for format in formats().filter(|&format| format != "table") {
        let arguments = ["--format", format, "--replay", kernel.recording.to_str().unwrap()];
        assert_eq!(
            on_a_terminal(Arch::X86_64, &arguments, None),
            kernel.text(&arguments[..2]),
            "{format}"
        );
    }
}

#[test]
fn every_kernel_fits_80_columns() {
    let mut columns = 0;
    for kernel in kernels() {
        let table = kernel.text(&["--format", "table"]);
        assert!(
            table.is_ascii() && table.bytes().all(|byte| byte == b'\n' || !byte.is_ascii_control()),
            "{table:?}"
        );
        columns = columns.max(table.lines().map(str::len).max().unwrap());
    }
    assert!((70..=80).contains(&columns), "{columns}");
}
