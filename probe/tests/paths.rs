//! `--path` from the command line: what can be asked about, what is said where it cannot, and that nothing stays.

use mapprobe::kernel::model::{Machine, Proc, Rules};
use program::findings::Console;

mod program;

/// The machine the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn with_paths<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    paths.iter().flat_map(|path| ["--path", path]).collect()
}

/// Refused: exit code 2, nothing on standard output, and one sentence.
#[track_caller]
fn refused(rules: Rules, paths: &[&str], complaint: &str) {
    for what in [&[][..], &["sweep"], &["free-bits"], &["--format", "table"], &["--record", "-"]] {
        let mut console = Console::on(rules.clone());
        let words: Vec<&str> = what.iter().copied().chain(with_paths(paths)).collect();
        assert_eq!(console.run(&words), 2, "{words:?}");
        assert_eq!(
            console.said(),
            (String::new(), format!("mapprobe: {complaint}\n")),
            "{words:?}"
        );
        assert_eq!(console.model.left(), Vec::<String>::new(), "{words:?}");
    }
}

/// Asked about: exit code 0, the paths by their names, and nothing stays.
#[track_caller]
fn reported(rules: Rules, paths: &[&str]) -> String {
    let mut console = Console::on(rules);
    assert_eq!(console.run(&with_paths(paths)), 0, "{paths:?}");
    let (said, complained) = console.said();
    assert_eq!(complained, "", "{paths:?}");
    assert!(paths.iter().all(|path| said.contains(&format!("\"{path}\""))), "{paths:?}");
    assert!(said.ends_with("}\n") && said.contains("\"complete\": true"), "{paths:?}");
    assert_eq!(console.model.left(), Vec::<String>::new(), "{paths:?}");
    said
}

#[test]
fn what_cannot_be_opened() {
    refused(new(), &["/nowhere"], "/nowhere: cannot be opened: ENOENT");
    refused(new(), &[""], ": cannot be opened: ENOENT");
    refused(
        new(),
        &["/ext4/file", "/dax", "/disk", "/nowhere"],
        "/nowhere: cannot be opened: ENOENT",
    );
    refused(new(), &["/ext4/nothing"], "/ext4/nothing: cannot be opened: ENOENT");
    let hidden = Rules { proc: Proc::Missing, ..new() };
    refused(hidden, &["/proc/self/smaps"], "/proc/self/smaps: cannot be opened: ENOENT");
}

/// Nothing is made in a directory that must not be written.
#[test]
fn a_directory_that_is_read_only() {
    refused(new(), &["/readonly"], "/readonly: cannot be opened: EROFS");
    reported(new(), &["/readonly/file"]);
    reported(new(), &["/ext4/forbidden"]);
}

/// An argument that is no UTF-8 reaches the program with U+FFFD in it.
#[test]
fn what_is_no_text() {
    refused(new(), &["/ext4/\u{fffd}"], "/ext4/\u{fffd}: a path must be UTF-8");
    refused(new(), &["/ext4", "\u{fffd}"], "\u{fffd}: a path must be UTF-8");
}

#[test]
fn sixty_four_and_no_more() {
    let mut paths = vec!["/tmpfs/file"; 64];
    reported(new(), &paths);
    paths.push("/dax/file");
    refused(new(), &paths, "/dax/file: one path too many: 64 at most");
}

#[test]
fn files_directories_and_devices() {
    for path in [
        "/ext4/file",
        "/dax/file",
        "/tmpfs/file",
        "/disk/file",
        "/dev/zero",
        "/dev/null",
        "/proc/self/smaps",
        "/ext4",
        "/dax",
        "/tmpfs",
        "/disk",
    ] {
        reported(new(), &[path]);
        reported(new(), &[path, path]);
    }
}

/// A file that is there already is not taken for the scratch file, nor removed.
#[test]
fn a_scratch_file_of_somebody_else() {
    let mut console = Console::on(new());
    console.file("/disk/.mapprobe.scratch", b"kept");
    assert_eq!(console.run(&["--path", "/disk"]), 2);
    assert_eq!(
        console.said(),
        (String::new(), "mapprobe: /disk: cannot be opened: EEXIST\n".to_string())
    );
    assert_eq!(console.model.left(), ["file /disk/.mapprobe.scratch"]);
}

#[test]
fn a_path_makes_the_difference() {
    let sync = |report: &str| {
        let at = report.find("\"MAP_SYNC\"").expect("a row");
        let verdict = report[at..].split("\"verdict\": \"").nth(1).expect("a verdict");
        verdict.split('"').next().map(str::to_string)
    };
    let hidden = Rules { proc: Proc::Missing, ..new() };
    for (path, verdict) in [
        ("/dax/file", "honored"),
        ("/dax", "honored"),
        ("/ext4/file", "unavailable"),
        ("/readonly/file", "unavailable"),
        ("/tmpfs", "inconclusive"),
        ("/disk", "inconclusive"),
        ("/dev/zero", "inconclusive"),
    ] {
        assert_eq!(sync(&reported(hidden.clone(), &[path])).as_deref(), Some(verdict), "{path}");
    }
}

/// A name comes out as it went in.
#[test]
fn names_are_escaped() {
    let mut console = Console::on(new());
    console.file("/tmpfs/\"odd\"\n\\name\u{e9}", b"x");
    assert_eq!(console.run(&["--path", "/tmpfs/\"odd\"\n\\name\u{e9}"]), 0);
    let (said, _) = console.said();
    assert!(said.contains(r#""/tmpfs/\"odd\"\u000a\\name\u00e9""#));
}
