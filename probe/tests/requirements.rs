//! `mapprobe require` from the command line, on simulated kernels and on recordings of real ones:
//! the output and the exit code.

use kernel::{Call, Errno, Fd, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::arch::Arch;
use mapprobe::flags::{Flag, MAP_SHARED_VALIDATE};
use program::console::Console;
use program::files::create_file;
use program::flag_names::FLAG_NAMES;
use simulator::{Machine, Overcommit, Personality, Proc, Rules, SeccompRule};
use std::path::Path;

mod program {
    pub mod console;
    pub mod files;
    pub mod flag_names;
}

/// The machine that the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

const NO_EFFECT: &str = "ignored: accepted, no effect";
const UNKNOWN: &str = "unknown: rejected as unknown";
const RECOGNIZED: &str = "unavailable: recognized; no effect observed";
const NOT_OFFERED: &str = "unavailable: not offered by this machine; \
                           may help: CONFIG_HUGETLBFS, another processor";
const ON_DAX: &str = "may help: MAP_SYNC:PATH of a file on DAX";

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn old() -> Rules {
    Rules::new(NATIVE, (4, 14))
}

fn without_proc() -> Rules {
    Rules { proc: Proc::Missing, ..new() }
}

/// Exit code, standard output and standard error of a run that must leave nothing behind.
#[track_caller]
fn run(rules: Rules, arguments: &str) -> (i32, String, String) {
    let mut console = Console::on(rules);
    let result = run_on(&mut console, arguments);
    assert_eq!(console.simulated.leftovers(), Vec::<String>::new(), "{arguments}");
    result
}

/// Exit code, standard output and standard error.
fn run_on(console: &mut Console, arguments: &str) -> (i32, String, String) {
    let exit = console.run(&arguments.split(' ').collect::<Vec<_>>());
    let (stdout, stderr) = console.take_output();
    (exit, stdout, stderr)
}

/// `require` without a format prints only these lines.
#[track_caller]
fn expect(rules: Rules, arguments: &str, exit: i32, lines: &[&str]) {
    let stdout: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let result = run(rules, &format!("require {arguments}"));
    assert_eq!(result, (exit, stdout, String::new()), "{arguments}");
}

#[test]
fn nothing_is_printed_about_a_requirement_that_is_met() {
    expect(new(), "MAP_FIXED", 0, &[]);
    expect(new(), "MAP_SHARED_VALIDATE MAP_LOCKED MAP_LOCKED", 0, &[]);
    expect(Rules { pool: 1, ..new() }, "MAP_HUGETLB MAP_HUGE_2MB", 0, &[]);
    // An accepted flag meets a requirement: the kernel recognizes it.
    expect(Rules { collapse: None, ..new() }, "MAP_STACK", 0, &[]);
    expect(Rules { overcommit: Overcommit::Always, ..new() }, "MAP_NORESERVE", 0, &[]);
}

#[test]
fn a_line_gives_the_reason_and_the_remedy() {
    expect(new(), "MAP_DENYWRITE MAP_FIXED", 1, &[&format!("MAP_DENYWRITE: {NO_EFFECT}")]);
    let line = format!("MAP_DROPPABLE: {UNKNOWN}; may help: Linux >= 6.11");
    expect(Rules::new(NATIVE, (6, 1)), "MAP_DROPPABLE", 1, &[&line]);
    let line = format!("MAP_SHARED_VALIDATE: {UNKNOWN}; may help: Linux >= 4.15");
    expect(old(), "MAP_SHARED_VALIDATE", 1, &[&line]);
    let line = format!("MAP_FIXED_NOREPLACE: {NO_EFFECT}; may help: Linux >= 4.17");
    expect(old(), "MAP_FIXED_NOREPLACE", 1, &[&line]);
    for (errno, reason) in [(Errno::EPERM, "not permitted"), (Errno::EAGAIN, "a limit is exceeded")]
    {
        let rules = Rules { root: false, lock_error: Some(errno), ..new() };
        let remedy = "may help: ulimit -l, CAP_IPC_LOCK";
        let line = format!("MAP_LOCKED: unavailable: {reason}; {remedy}");
        expect(rules, "MAP_LOCKED", 1, &[&line]);
    }
    let small_stack = Rules { stack_limit: 4096, ..new() };
    let line = format!("MAP_GROWSDOWN: {RECOGNIZED}; may help: ulimit -s");
    expect(small_stack, "MAP_GROWSDOWN", 1, &[&line]);
    expect(new(), "MAP_SYNC", 1, &[&format!("MAP_SYNC: {RECOGNIZED}; {ON_DAX}")]);
    expect(new(), "MAP_HUGE_16GB", 1, &[&format!("MAP_HUGE_16GB: {NOT_OFFERED}")]);
}

/// Whatever replaces the kernel explains why a flag is not honored. Whatever else interferes
/// explains why a flag is inconclusive.
#[test]
fn interference_is_named_where_it_explains_the_verdict() {
    let sync = "MAP_SYNC: inconclusive: no evidence decides; \
                may help: MAP_SYNC:PATH of a file on DAX, Linux >= 4.15; interference: no /proc";
    expect(without_proc(), "MAP_SYNC", 3, &[sync]);
    expect(without_proc(), "MAP_DENYWRITE", 1, &[&format!("MAP_DENYWRITE: {NO_EFFECT}")]);
    if NATIVE == Machine::X86 {
        expect(Rules::gvisor(), "MAP_HUGETLB", 1, &[&format!("MAP_HUGETLB: {NO_EFFECT}")]);
        let line = format!("MAP_LOCKED: {UNKNOWN}; interference: not Linux");
        expect(Rules::wsl1(), "MAP_LOCKED", 1, &[&line]);
    }
    let nommu = Personality::Nommu;
    let nommu = Rules { personality: nommu, collapse: None, huge_sizes: Vec::new(), ..new() };
    let qemu_user = Rules { personality: Personality::QemuUser, ..new() };
    for (rules, name) in [(qemu_user, "system call emulator"), (nommu, "no MMU")] {
        let line = format!("MAP_DENYWRITE: {NO_EFFECT}; interference: {name}");
        expect(rules, "MAP_DENYWRITE", 1, &[&line]);
    }
    // No pool was read.
    let hugetlb = Some(new().numbers.hugetlb);
    let filter = SeccompRule { op: Op::Mmap, any_flag_of: hugetlb, errno: Errno::ENOSYS };
    let line = "MAP_HUGETLB: inconclusive: its test decides nothing";
    expect(Rules { seccomp: vec![filter], ..new() }, "MAP_HUGETLB", 3, &[line]);
}

#[test]
fn an_inconclusive_flag_exits_with_3_unless_allowed_and_an_unmet_one_with_1() {
    let exit = |arguments: &str| run(without_proc(), &format!("require {arguments}")).0;
    assert_eq!(exit("MAP_SYNC MAP_FIXED"), 3);
    assert_eq!(exit("MAP_SYNC MAP_DENYWRITE"), 1);
    assert_eq!(exit("MAP_DENYWRITE MAP_SYNC"), 1);
    assert_eq!(exit("MAP_DENYWRITE MAP_SYNC --allow-inconclusive"), 1);
    expect(without_proc(), "--allow-inconclusive MAP_SYNC MAP_FIXED", 0, &[]);
    assert_eq!(run(without_proc(), "--thorough require MAP_SYNC --allow-inconclusive").0, 0);
}

#[test]
fn the_file_decides_about_sync() {
    expect(new(), "MAP_SYNC:/dax/file", 0, &[]);
    expect(new(), "MAP_SYNC:/dax MAP_SYNC:/dax/file MAP_SYNC", 0, &[]);
    for path in ["/ext4/file", "/tmpfs/file", "/ext4", "/readonly/file"] {
        let line = format!("MAP_SYNC:{path}: unavailable: on this file: EOPNOTSUPP; {ON_DAX}");
        expect(new(), &format!("MAP_SYNC:{path}"), 1, &[&line]);
        // Another file that accepts the flag does not help.
        expect(new(), &format!("MAP_SYNC:/dax/file MAP_SYNC:{path} MAP_SYNC"), 1, &[&line]);
        expect(new(), &format!("MAP_SYNC:{path} --path /dax/file"), 1, &[&line]);
        // Nor is /proc needed.
        expect(without_proc(), &format!("MAP_SYNC:{path}"), 1, &[&line]);
    }
}

#[test]
fn a_file_that_rejects_a_flag_under_every_map_type_overrides_the_verdict() {
    let grows = "MAP_GROWSDOWN:/ext4/file: unavailable: on this file: EINVAL";
    let huge = "MAP_HUGETLB:/ext4/file: unavailable: on this file: EINVAL";
    let droppable = "MAP_DROPPABLE:/ext4/file: unavailable: on this file: EINVAL";
    expect(new(), "MAP_GROWSDOWN:/ext4/file MAP_GROWSDOWN", 1, &[grows]);
    expect(new(), "MAP_HUGETLB:/ext4/file MAP_DROPPABLE:/ext4/file", 1, &[huge, droppable]);
    let accepted = "MAP_POPULATE:/ext4/file MAP_FIXED_NOREPLACE:/ext4/file \
                    MAP_SHARED_VALIDATE:/dax/file";
    expect(new(), accepted, 0, &[]);
    let smaps = "MAP_LOCKED:/proc/self/smaps";
    expect(new(), smaps, 1, &[&format!("{smaps}: unavailable: on this file: ENODEV")]);
    // A flag that the kernel ignores is ignored on every file.
    let ignored = "MAP_DENYWRITE:/ext4/file";
    expect(new(), ignored, 1, &[&format!("{ignored}: {NO_EFFECT}")]);
}

/// Rejects calls of `mmap` with a flag on `/dax/file`.
struct RejectingFile {
    console: Console,
    file: Option<Fd>,
    flag: usize,
    errno: Errno,
    /// The one call that fails, by its number among those with `MAP_SHARED_VALIDATE` and no other
    /// flag. `None`: all calls fail.
    only: Option<usize>,
    /// The number of those calls so far.
    calls: usize,
}

impl Kernel for RejectingFile {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let [_, _, _, flags, fd] = call.args;
        if call.op == Op::Mmap && flags & self.flag != 0 && self.file == Some(fd as Fd) {
            let is_validated = flags == MAP_SHARED_VALIDATE.encode(Arch::native()) | self.flag;
            self.calls += usize::from(is_validated);
            if self.only.is_none_or(|only| is_validated && only == self.calls) {
                return SysResult::failure(self.errno);
            }
        }
        let result = self.console.call(call);
        if call.op == Op::Open && call.input.starts_with(b"/dax/file") {
            self.file = result.result().ok().map(|fd| fd as Fd);
        }
        result
    }
}

/// Requires a flag on the rejecting file. Returns exit code, output, and the number of counted
/// calls.
fn require_on_rejecting_file(
    flag: Flag,
    errno: Errno,
    only: Option<usize>,
) -> (i32, String, usize) {
    let value = flag.value(Arch::native()).expect("a value");
    let console = Console::on(new());
    let mut kernel = RejectingFile { console, file: None, flag: value, errno, only, calls: 0 };
    let requirement = format!("{}:/dax/file", flag.name());
    let exit = app::run(&mut kernel, &["mapprobe", "require", &requirement]);
    (exit, kernel.console.take_output().0, kernel.calls)
}

#[test]
fn errors_with_other_causes_do_not_count_against_a_file() {
    for (errno, exit, verdict) in [
        (Errno::ENOMEM, 3, "inconclusive"),
        (Errno::EPERM, 3, "inconclusive"),
        (Errno::EAGAIN, 3, "inconclusive"),
        (Errno::ENOSYS, 3, "inconclusive"),
        (Errno::EACCES, 1, "unavailable"),
        (Errno::ENODEV, 1, "unavailable"),
    ] {
        let line = format!("MAP_POPULATE:/dax/file: {verdict}: on this file: {errno}\n");
        let (got, output, _) = require_on_rejecting_file(Flag::MAP_POPULATE, errno, None);
        assert_eq!((got, output), (exit, line));
        assert!(errno.name().is_some(), "{errno}");
    }
}

/// A file that accepts `MAP_SYNC` in one call and rejects it in another.
#[test]
fn a_file_that_contradicts_itself_is_inconclusive() {
    let require_sync =
        |only| require_on_rejecting_file(Flag::MAP_SYNC, Errno::EOPNOTSUPP, Some(only));
    let (exit, output, calls) = require_sync(0);
    assert_eq!((exit, output.as_str()), (0, ""));
    let line = "MAP_SYNC:/dax/file: inconclusive: on this file: EOPNOTSUPP; \
                may help: MAP_SYNC:PATH of a file on DAX, Linux >= 4.15\n";
    for only in 1..=calls {
        let (exit, output, _) = require_sync(only);
        assert_eq!((exit, output.as_str()), (3, line), "call {only} of {calls}");
    }
    assert!(calls > 2, "{calls}");
}

#[test]
fn a_flag_that_was_not_probed_on_a_file_is_inconclusive() {
    let huge = "MAP_HUGE_2MB:/ext4/file";
    expect(new(), huge, 3, &[&format!("{huge}: inconclusive: on this file: not asked")]);
    let on_hugetlbfs = "MAP_POPULATE:/hugetlbfs/file";
    let line = format!("{on_hugetlbfs}: inconclusive: on this file: not asked");
    expect(new(), on_hugetlbfs, 3, &[&line]);
}

#[test]
fn a_filter_makes_a_file_inconclusive() {
    let sync = Some(new().numbers.sync);
    let filter = SeccompRule { op: Op::Mmap, any_flag_of: sync, errno: Errno::EPERM };
    let rules = Rules { seccomp: vec![filter], ..new() };
    let (exit, output, _) = run(rules, "require MAP_SYNC:/dax/file");
    assert_eq!(exit, 3, "{output}");
    let start = "MAP_SYNC:/dax/file: inconclusive: on this file: EPERM; ";
    assert!(output.starts_with(start), "{output}");
}

#[test]
fn a_path_may_hold_colons_and_is_escaped_in_the_output() {
    for (path, escaped) in [("/tmpfs/a:b", "/tmpfs/a:b"), ("/tmpfs/\"\u{e4}", "/tmpfs/\\\"\\u00e4")]
    {
        let mut console = Console::on(new());
        create_file(&mut console.simulated, path, b"x");
        let requirements = format!("MAP_POPULATE:{path} MAP_GROWSDOWN:{path}");
        let line = format!("MAP_GROWSDOWN:{escaped}: unavailable: on this file: EINVAL\n");
        let result = run_on(&mut console, &format!("require {requirements}"));
        assert_eq!(result, (1, line, String::new()));
    }
}

#[test]
fn a_required_path_is_opened_once_and_must_exist() {
    // More requirements than there may be paths, all with the same path.
    let many = format!("require{}", " MAP_POPULATE:/ext4/file".repeat(70));
    assert_eq!(run(new(), &many), (0, String::new(), String::new()));
    for path in ["/nowhere", ""] {
        let message = format!("mapprobe: {path}: cannot be opened: ENOENT\n");
        let result = run(new(), &format!("require MAP_SYNC:{path}"));
        assert_eq!(result, (2, String::new(), message));
    }
}

/// With a format, the whole report is on standard output, and the lines are on standard error.
#[test]
fn a_format_changes_neither_lines_nor_exit_code() {
    let require = "require MAP_SYNC MAP_FIXED MAP_DENYWRITE";
    let (exit, lines, _) = run(new(), require);
    assert_eq!((exit, lines.lines().count()), (1, 2));
    for format in ["json", "jsonl", "table", "ktap", "shell", "macros", "prometheus", "nfd"] {
        let options = format!("--reproducible --format {format}");
        let report = run(new(), &options).1;
        let (exit, stdout, stderr) = run(new(), &format!("{options} {require}"));
        assert_eq!((exit, &stderr), (1, &lines), "{format}");
        if format == "ktap" {
            // Only this format tells which flags are required.
            let failed: Vec<_> = stdout.lines().filter(|line| line.starts_with("not ok")).collect();
            assert_eq!(failed, ["not ok 10 MAP_DENYWRITE", "not ok 18 MAP_SYNC"]);
        } else {
            assert_eq!(stdout, report, "{format}");
        }
    }
    assert_eq!(run(new(), "require MAP_FIXED --format shell").2, "");
}

#[test]
fn requirements_are_recorded_and_checked_in_a_replay() {
    let mut console = Console::on(new());
    let line = format!("MAP_SYNC:/ext4/file: unavailable: on this file: EOPNOTSUPP; {ON_DAX}\n");
    let require = "require MAP_SYNC:/ext4/file MAP_SYNC:/dax/file";
    let result = run_on(&mut console, &format!("{require} --record /tmpfs/recording"));
    assert_eq!(result, (1, line.clone(), String::new()));
    // The recording is on standard output, so the line is on standard error.
    let (exit, stdout, stderr) = run_on(&mut console, &format!("{require} --record -"));
    assert_eq!((exit, &stderr), (1, &line));
    assert!(stdout.starts_with("mapprobe recording 2\n"), "{stdout}");
    // A replay may require less, in another order.
    let replay = "require --replay /tmpfs/recording";
    for requirements in ["MAP_SYNC:/dax/file MAP_SYNC:/ext4/file", "MAP_SYNC:/ext4/file"] {
        let result = run_on(&mut console, &format!("{replay} {requirements}"));
        assert_eq!(result, (1, line.clone(), String::new()), "{requirements}");
    }
    let result = run_on(&mut console, &format!("{replay} MAP_FIXED MAP_SYNC:/tmpfs/file"));
    let message = "mapprobe: MAP_SYNC:/tmpfs/file: not in the recording\n";
    assert_eq!(result, (2, String::new(), message.to_string()));
}

/// Checks requirements in a recording of the lab.
fn replay(name: &str, query: &str, requirements: &str) -> (i32, String, String) {
    let path = format!("tests/recordings/lab/{name}.{query}.txt");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let recording =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut console = Console::on(new());
    create_file(&mut console.simulated, "/tmpfs/recording", &recording);
    run_on(&mut console, &format!("require --replay /tmpfs/recording {requirements}"))
}

/// Recordings of real kernels. The sources of the expectations are in `tests/facts/`.
#[test]
fn real_kernels_meet_requirements() {
    let growth = format!("MAP_GROWSDOWN: {RECOGNIZED}; may help: ulimit -s\n");
    let droppable = "MAP_DROPPABLE: unavailable: the kernel has no room; \
                     may help: a 64-bit kernel\n";
    for (name, requirements, exit, expected) in [
        ("x86_64-6.12", "MAP_DROPPABLE MAP_STACK MAP_FIXED_NOREPLACE MAP_ABOVE4G", 0, ""),
        (
            "x86_64-6.1",
            "MAP_DROPPABLE MAP_FIXED",
            1,
            &format!("MAP_DROPPABLE: {UNKNOWN}; may help: Linux >= 6.11\n"),
        ),
        ("hppa-6.1", "MAP_SYNC", 1, "MAP_SYNC: absent: no such flag on this architecture\n"),
        ("hppa-6.1", "MAP_GROWSDOWN", 1, &growth),
        ("hppa-6.12", "MAP_DROPPABLE", 1, droppable),
        ("hppa-6.12", "MAP_HUGETLB", 1, &format!("MAP_HUGETLB: {NOT_OFFERED}\n")),
        ("hppa64-6.12", "MAP_SHARED_VALIDATE MAP_DROPPABLE", 0, ""),
    ] {
        let result = replay(name, "report", requirements);
        assert_eq!(result, (exit, expected.into(), String::new()), "{name} {requirements}");
    }
    // A sweep has no verdicts.
    let message = "mapprobe: MAP_FIXED: not in the recording\n";
    let result = replay("x86_64-6.1", "sweep", "MAP_FIXED");
    assert_eq!(result, (2, String::new(), message.to_string()));
}

#[test]
fn the_exit_code_follows_from_the_report() {
    for name in ["x86_64-5.10", "x86_64-7.x", "aarch64-6.1", "hppa-5.10", "hppa64-6.12"] {
        let report = replay(name, "report", "MAP_FIXED --format shell").1;
        for flag in FLAG_NAMES {
            let (exit, output, _) = replay(name, "report", &format!("--support-only {flag}"));
            let value = |variable: String| {
                let assignment = format!("MAPPROBE_{variable}='");
                let value = report.lines().find_map(|line| line.strip_prefix(&assignment));
                value.map(|value| value.trim_end_matches('\''))
            };
            let verdict = value(flag.into()).expect("a row");
            let expected = match verdict {
                "honored" | "accepted" => 0,
                "ignored" | "unknown" | "unavailable" | "absent" => 1,
                "inconclusive" => 3,
                other => panic!("{name} {flag}: {other}"),
            };
            assert_eq!(exit, expected, "{name} {flag}: {verdict} {output}");
            let line = format!("{flag}: {verdict}: ");
            let is_printed = output.starts_with(&line) && output.lines().count() == 1;
            let is_expected = if exit == 0 { output.is_empty() } else { is_printed };
            assert!(is_expected, "{name} {flag}: {verdict} {output}");
            // Without the option a page that can be had now counts too.
            let expected = match value(format!("AVAILABLE_{flag}")) {
                Some("no") => 1,
                Some("unknown") => 3,
                Some("yes") | None => expected,
                Some(other) => panic!("{name} {flag}: {other}"),
            };
            assert_eq!(replay(name, "report", flag).0, expected, "{name} {flag}");
        }
    }
}
