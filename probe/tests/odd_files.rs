//! Files that are mapped by rules of their own, and the file that replaces a missing memfd: what
//! `require` answers, what the report says, and that the file keeps no page. The expectations
//! follow from the rules of the simulated files (`simulator/src/files.rs`), which name their kernel
//! sources.

use kernel::{Errno, Op};
use program::console::Console;
use serde_json::{Value, json};
use simulator::{Machine, Rules, SeccompRule};

mod program {
    pub mod console;
}

/// The machine that the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

/// Everything that could take the place of a memfd.
const NO_FILES: &[&str] = &["/dev/shm", "/tmp", "/proc/self/exe"];
const NO_SCRATCH: &[&str] = &["/dev/shm", "/tmp"];

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn no_memfd() -> Rules {
    Rules { no_memfd: true, ..new() }
}

/// Exit code and output of a run that must leave nothing behind.
#[track_caller]
fn run(rules: Rules, arguments: &str) -> (i32, String) {
    let mut console = Console::on(rules);
    let exit = console.run(&arguments.split(' ').collect::<Vec<_>>());
    assert_eq!(console.simulated.leftovers(), Vec::<String>::new(), "{arguments}");
    let (stdout, stderr) = console.take_output();
    assert_eq!(stderr, "", "{arguments}");
    (exit, stdout)
}

#[track_caller]
fn report(rules: Rules, arguments: &str) -> Value {
    let (exit, stdout) = run(rules, arguments);
    assert_eq!(exit, 0, "{arguments}");
    serde_json::from_str(&stdout).expect("JSON")
}

#[track_caller]
fn expect(requirements: &str, exit: i32, line: &str) {
    expect_on(new(), requirements, exit, line);
}

#[track_caller]
fn expect_on(rules: Rules, requirements: &str, exit: i32, line: &str) {
    let end = if line.is_empty() { "" } else { "\n" };
    let result = run(rules, &format!("require {requirements}"));
    assert_eq!(result, (exit, format!("{line}{end}")), "{requirements}");
}

fn verdict<'r>(report: &'r Value, flag: &str) -> &'r str {
    let rows = report["flags"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == flag).expect("a row");
    row["verdict"].as_str().expect("a verdict")
}

/// The outcomes of a flag with a backing, in the order of the map types.
fn outcomes<'r>(report: &'r Value, flag: &str, backing: &str) -> Vec<&'r str> {
    let rows = report["flags"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["name"] == flag).expect("a row");
    let contexts = row["contexts"].as_array().expect("contexts");
    let of_backing = contexts.iter().filter(|context| context["backing"] == backing);
    of_backing.map(|context| context["outcome"].as_str().expect("an outcome")).collect()
}

/// A device DAX is mapped in its own alignment, 2 MiB or 1 GiB, and shared only.
#[test]
fn a_device_dax_honors_sync() {
    for device in ["/dev/dax0.0", "/dev/dax1.0"] {
        expect(&format!("MAP_SYNC:{device} MAP_SHARED:{device} MAP_FIXED:{device}"), 0, "");
        expect(&format!("MAP_FIXED_NOREPLACE:{device} MAP_POPULATE:{device}"), 0, "");
        let private = format!("MAP_PRIVATE:{device}");
        let line = format!("{private}: unavailable: on this file, opened read-write: EINVAL");
        expect(&private, 1, &line);
    }
    let report = report(new(), "--path /dev/dax0.0");
    assert_eq!(verdict(&report, "MAP_SYNC"), "honored");
    let outcomes = outcomes(&report, "MAP_SYNC", "/dev/dax0.0");
    assert_eq!(outcomes, ["accepted", "EINVAL", "accepted"]);
    let path = json!([{
        "path": "/dev/dax0.0", "access": "read-write", "length": 2 << 20, "left_out": null,
        "read_only_differs": false
    }]);
    assert_eq!(report["paths"], path);
}

/// On hugetlbfs a file is mapped in its huge pages, whether the pool has pages or not, and none is
/// taken from the pool.
#[test]
fn a_file_of_hugetlbfs_is_probed_in_huge_pages() {
    for pool in [0, 4] {
        let rules = || Rules { pool, ..new() };
        let met = "MAP_SHARED:/hugetlbfs/file MAP_PRIVATE:/hugetlbfs MAP_POPULATE:/hugetlbfs/file \
                   MAP_HUGETLB:/hugetlbfs/file MAP_LOCKED:/hugetlbfs/file";
        expect_on(rules(), met, 0, "");
        let sync = "MAP_SYNC:/hugetlbfs/file";
        let line = format!(
            "{sync}: unavailable: on this file, opened read-write: EOPNOTSUPP; \
             may help: MAP_SYNC:PATH of a file on DAX"
        );
        expect_on(rules(), sync, 1, &line);
        let report = report(rules(), "--path /hugetlbfs/file --path /hugetlbfs");
        assert_eq!(report["paths"][0]["length"], 2 << 20);
        run(rules(), "sweep --path /hugetlbfs/file");
    }
}

#[test]
fn a_driver_that_rejects_private_mappings_is_probed() {
    expect("MAP_SHARED:/dev/shared MAP_LOCKED:/dev/shared", 0, "");
    let line = "MAP_PRIVATE:/dev/shared: unavailable: on this file, opened read-write: EINVAL";
    expect("MAP_PRIVATE:/dev/shared", 1, line);
}

/// A file that no length fits is left out, and the reason is given.
#[test]
fn a_file_that_cannot_be_mapped_is_left_out_with_the_reason() {
    let why = "it takes no length from a page to 1 GiB";
    let line = format!(
        "MAP_SHARED:/dev/unmappable: inconclusive: on this file, opened read-write: not asked: \
         {why}"
    );
    expect("MAP_SHARED:/dev/unmappable", 3, &line);
    let report = report(new(), "--path /dev/unmappable");
    assert_eq!(report["paths"][0]["left_out"], why);
    assert_eq!(report["paths"][0]["length"], Value::Null);
    // Without fstatfs it is not known whether the file is on hugetlbfs.
    let errno = Errno::EPERM;
    let filter = SeccompRule { op: Op::FileSystemType, any_flag_of: None, errno };
    let line = "MAP_SHARED:/hugetlbfs/file: inconclusive: on this file, opened read-write: \
                not asked: it rejects a private page, and fstatfs fails";
    expect_on(Rules { seccomp: vec![filter], ..new() }, "MAP_SHARED:/hugetlbfs/file", 3, line);
}

/// 9p without a cache gives a shared mapping only to a program that cannot write the file.
#[test]
fn a_file_that_answers_a_reader_differently_is_probed_twice() {
    let report = report(new(), "--path /9p/file --path /ext4/file");
    assert_eq!(report["paths"][0]["read_only_differs"], true);
    assert_eq!(report["paths"][1]["read_only_differs"], false);
    let rejected = ["EINVAL", "accepted", "EINVAL"];
    assert_eq!(outcomes(&report, "MAP_NORESERVE", "/9p/file"), rejected);
    let accepted = ["accepted"; 3];
    assert_eq!(outcomes(&report, "MAP_NORESERVE", "/9p/file (read-only)"), accepted);
    assert!(outcomes(&report, "MAP_NORESERVE", "/ext4/file (read-only)").is_empty());

    // Both accept a private mapping.
    expect("MAP_NORESERVE:/9p/file MAP_PRIVATE:/9p/file", 0, "");
    let line = "MAP_SHARED:/9p/file: honored: on this file, opened read-only; \
                opened read-write: EINVAL";
    expect("MAP_SHARED:/9p/file", 0, line);
    let line = "MAP_GROWSDOWN:/9p/file: unavailable: on this file, opened read-write: EINVAL, \
                opened read-only: EINVAL";
    expect("MAP_GROWSDOWN:/9p/file", 1, line);
    // A scratch file is opened for reading and writing only.
    let line = "MAP_SHARED:/9p: unavailable: on this file, opened read-write: EINVAL";
    expect("MAP_SHARED:/9p", 1, line);
}

/// `mmap_region` in `mm/mmap.c` unmaps the range of a `MAP_FIXED` mapping before the file refuses
/// it. The page asked for is occupied all the same when the next mapping is made.
#[test]
fn a_file_that_refuses_a_fixed_mapping_does_not_hide_its_effect() {
    for path in ["/9p", "/9p/file", "/dev/shared", "/dev/dax0.0", "/dev/unmappable"] {
        let report = report(new(), &format!("--path {path}"));
        assert_eq!(verdict(&report, "MAP_FIXED"), "honored", "{path}");
    }
}

/// The file of the experiments, and the verdicts about `MAP_SHARED`, `MAP_ANONYMOUS` and
/// `MAP_DENYWRITE`.
fn file_and_verdicts(rules: Rules, arguments: &str) -> (Value, [String; 3]) {
    let report = report(rules, arguments);
    let flags = ["MAP_SHARED", "MAP_ANONYMOUS", "MAP_DENYWRITE"];
    (report["file"].clone(), flags.map(|flag| verdict(&report, flag).to_owned()))
}

#[test]
fn a_missing_memfd_is_replaced_in_order() {
    let usual = "--reproducible";
    for (missing, arguments, name) in [
        (&[][..], usual, "file in /dev/shm"),
        (&["/dev/shm"], usual, "file in /tmp"),
        (&[], "--path /tmpfs/file --path /disk --path /tmpfs", "file in /disk"),
        // Files of these cannot be written, or not mapped for sharing.
        (&[], "--path /hugetlbfs --path /9p", "file in /dev/shm"),
    ] {
        let (file, verdicts) = file_and_verdicts(Rules { missing, ..no_memfd() }, arguments);
        let memfd_error = "memfd_create: ENOSYS";
        let expected = json!({"name": name, "access": "read-write", "memfd_error": memfd_error});
        assert_eq!(file, expected, "{arguments}");
        assert_eq!(verdicts, ["honored", "honored", "ignored"], "{name}");
        let report = report(Rules { missing, ..no_memfd() }, arguments);
        assert_eq!(outcomes(&report, "MAP_POPULATE", name), ["accepted"; 3], "{name}");
        assert!(outcomes(&report, "MAP_POPULATE", "memfd").is_empty(), "{name}");
    }
    let (file, _) = file_and_verdicts(new(), usual);
    assert_eq!(file, json!({"name": "memfd", "access": "read-write", "memfd_error": null}));
}

#[test]
fn the_program_itself_is_read_where_no_file_can_be_written() {
    for (rules, memfd_error) in [
        (Rules { missing: NO_SCRATCH, ..no_memfd() }, "memfd_create: ENOSYS"),
        (Rules { file_size_limit: 0, ..new() }, "write: EFBIG"),
    ] {
        let (file, [shared, anonymous, denywrite]) = file_and_verdicts(rules, "report");
        let name = "/proc/self/exe";
        let expected = json!({"name": name, "access": "read-only", "memfd_error": memfd_error});
        assert_eq!(file, expected);
        assert_eq!((shared.as_str(), anonymous.as_str()), ("honored", "honored"));
        assert_eq!(denywrite, "inconclusive");
    }
}

#[test]
fn without_any_file_a_child_shows_what_is_shared() {
    for (rules, memfd_error) in [
        (Rules { missing: NO_FILES, ..no_memfd() }, "memfd_create: ENOSYS"),
        // Standard files and the pipe are open.
        (Rules { descriptor_limit: 5, ..new() }, "memfd_create: EMFILE"),
    ] {
        let (file, verdicts) = file_and_verdicts(rules, "report");
        assert_eq!(file, json!({"name": null, "access": null, "memfd_error": memfd_error}));
        assert_eq!(verdicts, ["honored", "honored", "inconclusive"]);
    }
    // Without children nothing tells.
    let filter = SeccompRule { op: Op::Touch, any_flag_of: None, errno: Errno::EAGAIN };
    let rules = Rules { missing: NO_FILES, seccomp: vec![filter], ..no_memfd() };
    let (_, verdicts) = file_and_verdicts(rules, "report");
    assert_eq!(verdicts, ["inconclusive", "honored", "inconclusive"]);
    // The memfd is kept where only its content is missing.
    let rules = Rules { file_size_limit: 0, missing: NO_FILES, ..new() };
    let (file, verdicts) = file_and_verdicts(rules, "report");
    assert_eq!(file["name"], "memfd");
    assert_eq!(verdicts, ["honored", "honored", "inconclusive"]);
}

#[test]
fn a_test_that_was_not_run_has_no_answers() {
    let reason = |rules, flag| {
        let report = report(rules, "report");
        let rows = report["flags"].as_array().expect("rows");
        let row = rows.iter().find(|row| row["name"] == flag).expect("a row");
        row["reason"].as_str().expect("a reason").to_owned()
    };
    let without_file = || Rules { missing: NO_FILES, ..no_memfd() };
    let expected = "its test could not be run (writing to a mapped file)";
    assert_eq!(reason(without_file(), "MAP_DENYWRITE"), expected);
    let filter = SeccompRule { op: Op::Mincore, any_flag_of: None, errno: Errno::EPERM };
    let found = reason(Rules { seccomp: vec![filter], ..new() }, "MAP_NONBLOCK");
    assert_eq!(found, "whether pages are resident before a touch is not known");
    // Two descriptors are missing.
    let rules = Rules { descriptor_limit: 4, ..new() };
    assert!(reason(rules, "MAP_FIXED").contains("no pipe could be made: pipe2 fails with EMFILE"));
}

#[test]
fn the_formats_for_people_name_a_replaced_memfd() {
    let line = "file in /dev/shm (read-write) instead of a memfd: memfd_create: ENOSYS";
    for format in ["ktap", "nfd"] {
        let output = run(no_memfd(), &format!("--format {format}")).1;
        assert!(output.lines().any(|found| found == format!("# file: {line}")), "{output}");
        let output = run(new(), &format!("--format {format}")).1;
        assert!(!output.contains("# file"), "{output}");
    }
    let table = run(no_memfd(), "--format table").1;
    let words: Vec<&str> = table.split_whitespace().collect();
    assert!(words.join(" ").contains(line), "{table}");
    let shell = run(no_memfd(), "--format shell").1;
    assert!(shell.contains("MAPPROBE_FILE='file in /dev/shm'\n"), "{shell}");
    let shell = run(new(), "--format shell").1;
    assert!(shell.contains("MAPPROBE_FILE='memfd'\n"), "{shell}");
}
