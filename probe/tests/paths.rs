//! `--path` from the command line: what can be probed, the error message where a path cannot, and
//! that nothing is left behind.

use program::console::Console;
use program::files::create_file;
use serde_json::Value;
use simulator::{Machine, Proc, Rules};

mod program {
    pub mod console;
    pub mod files;
}

/// The machine that the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn without_proc() -> Rules {
    Rules { proc: Proc::Missing, ..new() }
}

fn path_options<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    paths.iter().flat_map(|path| ["--path", path]).collect()
}

/// Every query fails with exit code 2 and this message, prints nothing else and leaves nothing
/// behind.
#[track_caller]
fn fails(rules: &Rules, paths: &[&str], message: &str) {
    for start in [&[][..], &["sweep"], &["free-bits"], &["--format", "table"], &["--record", "-"]] {
        let mut console = Console::on(rules.clone());
        let arguments = [start, &path_options(paths)].concat();
        assert_eq!(console.run(&arguments), 2, "{arguments:?}");
        let expected = (String::new(), format!("mapprobe: {message}\n"));
        assert_eq!(console.take_output(), expected, "{arguments:?}");
        assert_eq!(console.simulated.leftovers(), Vec::<String>::new(), "{arguments:?}");
    }
}

/// The report of a run that names the paths, is complete and leaves nothing behind.
#[track_caller]
fn report(rules: &Rules, paths: &[&str]) -> Value {
    let mut console = Console::on(rules.clone());
    let report = report_on(&mut console, paths);
    assert_eq!(console.simulated.leftovers(), Vec::<String>::new(), "{paths:?}");
    report
}

#[track_caller]
fn report_on(console: &mut Console, paths: &[&str]) -> Value {
    assert_eq!(console.run(&path_options(paths)), 0, "{paths:?}");
    let (stdout, stderr) = console.take_output();
    assert_eq!(stderr, "", "{paths:?}");
    let report: Value = serde_json::from_str(&stdout).expect("JSON");
    let contexts = report["validation"]["contexts"].as_array().expect("contexts");
    let is_probed = |path: &&str| contexts.iter().any(|context| context["backing"] == *path);
    assert!(paths.iter().all(is_probed), "{paths:?}");
    assert_eq!(report["complete"], true, "{paths:?}");
    report
}

/// The verdict about a flag.
fn verdict<'r>(report: &'r Value, flag: &str) -> &'r str {
    let rows = report["flags"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == flag).expect("a row");
    row["verdict"].as_str().expect("a verdict")
}

#[test]
fn a_path_that_cannot_be_opened_is_an_error() {
    let nowhere = "/nowhere: cannot be opened: ENOENT";
    fails(&new(), &["/nowhere"], nowhere);
    fails(&new(), &[""], ": cannot be opened: ENOENT");
    fails(&new(), &["/ext4/file", "/dax", "/disk", "/nowhere"], nowhere);
    fails(&new(), &["/ext4/nothing"], "/ext4/nothing: cannot be opened: ENOENT");
    let smaps = "/proc/self/smaps: cannot be opened: ENOENT";
    fails(&without_proc(), &["/proc/self/smaps"], smaps);
}

#[test]
fn no_scratch_file_is_created_on_a_read_only_file_system() {
    fails(&new(), &["/readonly"], "/readonly: cannot be opened: EROFS");
    report(&new(), &["/readonly/file"]);
    report(&new(), &["/ext4/forbidden"]);
}

/// Arguments that are not UTF-8 arrive as U+FFFD.
#[test]
fn a_path_must_be_utf_8() {
    fails(&new(), &["/ext4/\u{fffd}"], "/ext4/\u{fffd}: a path must be UTF-8");
    fails(&new(), &["/ext4", "\u{fffd}"], "\u{fffd}: a path must be UTF-8");
}

#[test]
fn at_most_64_paths_are_probed() {
    let mut paths = vec!["/tmpfs/file"; 64];
    report(&new(), &paths);
    paths.push("/dax/file");
    fails(&new(), &paths, "/dax/file: at most 64 paths can be probed in one run");
}

#[test]
fn files_directories_and_devices_can_be_probed() {
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
        report(&new(), &[path]);
        report(&new(), &[path, path]);
    }
}

/// An existing file with the name of the scratch file is neither used nor removed.
#[test]
fn the_scratch_file_of_another_program_is_kept() {
    let mut console = Console::on(new());
    create_file(&mut console.simulated, "/disk/.mapprobe.scratch", b"kept");
    assert_eq!(console.run(&["--path", "/disk"]), 2);
    let message = "mapprobe: /disk: cannot be opened: EEXIST\n";
    assert_eq!(console.take_output(), (String::new(), message.to_string()));
    assert_eq!(console.simulated.leftovers(), ["file /disk/.mapprobe.scratch"]);
}

#[test]
fn the_verdict_about_sync_depends_on_the_path() {
    for (path, expected) in [
        ("/dax/file", "honored"),
        ("/dax", "honored"),
        ("/ext4/file", "unavailable"),
        ("/readonly/file", "unavailable"),
        ("/tmpfs", "inconclusive"),
        ("/disk", "inconclusive"),
        ("/dev/zero", "inconclusive"),
    ] {
        assert_eq!(verdict(&report(&without_proc(), &[path]), "MAP_SYNC"), expected, "{path}");
    }
}

#[test]
fn the_name_of_a_path_is_escaped() {
    let path = "/tmpfs/\"odd\"\n\\name\u{e9}";
    let mut console = Console::on(new());
    create_file(&mut console.simulated, path, b"x");
    report_on(&mut console, &[path]);
    assert_eq!(console.run(&["--path", path]), 0);
    let (stdout, _) = console.take_output();
    assert!(stdout.contains(r#""/tmpfs/\"odd\"\u000a\\name\u00e9""#), "{stdout}");
}
