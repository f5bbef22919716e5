//! `mapprobe require` from the command line, on kernels made of rules and on recordings of real ones: what is printed, and the exit code.

use mapprobe::arch::Arch;
use mapprobe::command;
use mapprobe::errno::Errno;
use mapprobe::flags::{MAP_SHARED_VALIDATE, TABLE};
use mapprobe::kernel::model::{Machine, Manner, Proc, Refusal, Rules};
use mapprobe::kernel::{Answer, Call, Fd, Kernel, Op};
use program::findings::Console;
use program::oracle::NAMES;
use std::path::Path;

mod program;

/// The machine the program was built for.
const NATIVE: Machine = if cfg!(target_arch = "x86_64") { Machine::X86 } else { Machine::Arm64 };

fn new() -> Rules {
    Rules::new(NATIVE, (6, 12))
}

fn old() -> Rules {
    Rules::new(NATIVE, (4, 14))
}

/// Exit code, standard output and standard error of a run with these words, one after the other.
fn run(rules: Rules, words: &str) -> (i32, String, String) {
    let mut console = Console::on(rules);
    let code = console.run(&words.split(' ').collect::<Vec<_>>());
    assert_eq!(console.model.left(), Vec::<String>::new(), "{words}");
    let (said, complained) = console.said();
    (code, said, complained)
}

/// Required alone: the lines are all there is.
#[track_caller]
fn expect(rules: Rules, words: &str, code: i32, lines: &[&str]) {
    let expected: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(run(rules, &format!("require {words}")), (code, expected, String::new()), "{words}");
}

#[test]
fn nothing_is_said_of_what_is_met() {
    expect(new(), "MAP_FIXED", 0, &[]);
    expect(new(), "MAP_SHARED_VALIDATE MAP_LOCKED MAP_LOCKED MAP_HUGE_2MB", 0, &[]);
    // Accepted is as good: the kernel knows it and took it.
    expect(Rules { collapse: None, ..new() }, "MAP_STACK", 0, &[]);
    expect(Rules { overcommit: 1, ..new() }, "MAP_NORESERVE", 0, &[]);
}

#[test]
fn a_line_says_why_not_and_what_may_help() {
    expect(
        new(),
        "MAP_DENYWRITE MAP_FIXED",
        1,
        &["MAP_DENYWRITE: ignored: taken, and nothing happened"],
    );
    let unknown = "refused like unknown flags; may help: Linux >=";
    expect(
        Rules::new(NATIVE, (6, 1)),
        "MAP_DROPPABLE",
        1,
        &[&format!("MAP_DROPPABLE: unknown: {unknown} 6.11")],
    );
    expect(
        old(),
        "MAP_SHARED_VALIDATE",
        1,
        &[&format!("MAP_SHARED_VALIDATE: unknown: {unknown} 4.15")],
    );
    let dropped = "ignored: taken, and nothing happened; may help: Linux >= 4.17";
    expect(old(), "MAP_FIXED_NOREPLACE", 1, &[&format!("MAP_FIXED_NOREPLACE: {dropped}")]);
    let refused = |errno| Rules { root: false, lock_refusal: Some(errno), ..new() };
    let limit = "may help: ulimit -l, CAP_IPC_LOCK";
    expect(
        refused(Errno::EPERM),
        "MAP_LOCKED",
        1,
        &[&format!("MAP_LOCKED: unavailable: not permitted; {limit}")],
    );
    expect(
        refused(Errno::EAGAIN),
        "MAP_LOCKED",
        1,
        &[&format!("MAP_LOCKED: unavailable: over a limit; {limit}")],
    );
    let stack = Rules { stack_limit: 4096, ..new() };
    let sign = "unavailable: known; no effect was seen; may help:";
    expect(stack, "MAP_GROWSDOWN", 1, &[&format!("MAP_GROWSDOWN: {sign} ulimit -s")]);
    expect(new(), "MAP_SYNC", 1, &[&format!("MAP_SYNC: {sign} MAP_SYNC:PATH of a file on DAX")]);
    let size =
        "unavailable: not offered by this machine; may help: CONFIG_HUGETLBFS, another processor";
    expect(new(), "MAP_HUGE_16GB", 1, &[&format!("MAP_HUGE_16GB: {size}")]);
}

/// What lies between the program and a kernel explains a no; what is only in the way of measuring explains why nobody can tell.
#[test]
fn what_is_in_the_way_is_named() {
    let liar =
        |name: &str| Rules::liars().into_iter().find(|(liar, _)| liar == name).expect("a liar").1;
    let sync = "MAP_SYNC: inconclusive: nothing was seen that decides; \
                may help: MAP_SYNC:PATH of a file on DAX, Linux >= 4.15; in the way: no /proc";
    expect(Rules { proc: Proc::Missing, ..new() }, "MAP_SYNC", 3, &[sync]);
    let hidden = Rules { proc: Proc::Missing, ..new() };
    expect(hidden, "MAP_DENYWRITE", 1, &["MAP_DENYWRITE: ignored: taken, and nothing happened"]);
    if NATIVE == Machine::X86 {
        let forgets = "MAP_HUGETLB: ignored: taken, and nothing happened";
        expect(liar("gVisor"), "MAP_HUGETLB", 1, &[forgets]);
        let other = "MAP_LOCKED: unknown: refused like unknown flags; in the way: not Linux";
        expect(liar("WSL1"), "MAP_LOCKED", 1, &[other]);
    }
    let unmanaged =
        Rules { manner: Manner::Nommu, collapse: None, huge_sizes: Vec::new(), ..new() };
    for (rules, between) in
        [(Rules { manner: Manner::Qemu, ..new() }, "system call emulator"), (unmanaged, "no MMU")]
    {
        let line =
            format!("MAP_DENYWRITE: ignored: taken, and nothing happened; in the way: {between}");
        expect(rules, "MAP_DENYWRITE", 1, &[&line]);
    }
    // Where huge pages cannot be told, there may be none in the pool.
    let huge = "inconclusive: its test decides nothing; may help: vm.nr_hugepages";
    let filtered = Refusal { op: Op::Mmap, any_of: new().layout.hugetlb, errno: Errno::ENOSYS };
    expect(
        Rules { refusals: vec![filtered], ..new() },
        "MAP_HUGETLB",
        3,
        &[&format!("MAP_HUGETLB: {huge}")],
    );
}

#[test]
fn what_cannot_be_told_is_3_unless_it_is_allowed_and_a_no_is_1_all_the_same() {
    let hidden = || Rules { proc: Proc::Missing, ..new() };
    let code = |words: &str| run(hidden(), &format!("require {words}")).0;
    assert_eq!(code("MAP_SYNC MAP_FIXED"), 3);
    assert_eq!(code("MAP_SYNC MAP_DENYWRITE"), 1);
    assert_eq!(code("MAP_DENYWRITE MAP_SYNC"), 1);
    assert_eq!(code("MAP_DENYWRITE MAP_SYNC --allow-inconclusive"), 1);
    expect(hidden(), "--allow-inconclusive MAP_SYNC MAP_FIXED", 0, &[]);
    assert_eq!(run(hidden(), "--allow-inconclusive require MAP_SYNC").0, 0);
}

#[test]
fn on_a_file_the_file_decides() {
    expect(new(), "MAP_SYNC:/dax/file", 0, &[]);
    expect(new(), "MAP_SYNC:/dax MAP_SYNC:/dax/file MAP_SYNC", 0, &[]);
    let dax = "may help: MAP_SYNC:PATH of a file on DAX";
    for path in ["/ext4/file", "/tmpfs/file", "/ext4", "/readonly/file"] {
        let line = format!("MAP_SYNC:{path}: unavailable: on this file: EOPNOTSUPP; {dax}");
        expect(new(), &format!("MAP_SYNC:{path}"), 1, &[&line]);
        // That another file takes it does not help.
        expect(new(), &format!("MAP_SYNC:/dax/file MAP_SYNC:{path} MAP_SYNC"), 1, &[&line]);
        expect(new(), &format!("MAP_SYNC:{path} --path /dax/file"), 1, &[&line]);
        // Nor is /proc needed to know that.
        let hidden = Rules { proc: Proc::Missing, ..new() };
        expect(hidden, &format!("MAP_SYNC:{path}"), 1, &[&line]);
    }
    let grows = "MAP_GROWSDOWN:/ext4/file: unavailable: on this file: EINVAL";
    let huge = "MAP_HUGETLB:/ext4/file: unavailable: on this file: EINVAL";
    let dropped = "MAP_DROPPABLE:/ext4/file: unavailable: on this file: EINVAL";
    expect(new(), "MAP_GROWSDOWN:/ext4/file MAP_GROWSDOWN", 1, &[grows]);
    expect(new(), "MAP_HUGETLB:/ext4/file MAP_DROPPABLE:/ext4/file", 1, &[huge, dropped]);
    expect(
        new(),
        "MAP_POPULATE:/ext4/file MAP_FIXED_NOREPLACE:/ext4/file MAP_SHARED_VALIDATE:/dax/file",
        0,
        &[],
    );
    let smaps = "/proc/self/smaps";
    expect(
        new(),
        &format!("MAP_LOCKED:{smaps}"),
        1,
        &[&format!("MAP_LOCKED:{smaps}: unavailable: on this file: ENODEV")],
    );
    // The kernel's no is one on every file.
    expect(
        new(),
        "MAP_DENYWRITE:/ext4/file",
        1,
        &["MAP_DENYWRITE:/ext4/file: ignored: taken, and nothing happened"],
    );
}

/// A kernel that refuses calls with a flag on `/dax/file`.
struct Choosy {
    console: Console,
    file: Option<Fd>,
    flag: u64,
    errno: Errno,
    /// Of the calls with `MAP_SHARED_VALIDATE` and no other flag the one with this number; all calls without one.
    only: Option<usize>,
    /// How many of those there were.
    asked: usize,
}

impl Kernel for Choosy {
    fn call(&mut self, call: &mut Call) -> Answer {
        let [_, _, _, flags, file, ..] = call.args;
        if call.op == Op::Mmap && flags & self.flag != 0 && self.file == Some(file as Fd) {
            let validated = flags == MAP_SHARED_VALIDATE | self.flag;
            self.asked += usize::from(validated);
            if self.only.is_none_or(|only| validated && only == self.asked) {
                return Answer::failed(self.errno);
            }
        }
        let answer = self.console.call(call);
        if call.op == Op::Open && call.input.starts_with(b"/dax/file") {
            self.file = answer.result().ok().map(|file| file as Fd);
        }
        answer
    }
}

/// What is said of a flag on that file: exit code and lines; and how many of those calls there were.
fn refused(name: &str, errno: Errno, only: Option<usize>) -> (i32, String, usize) {
    let flag = TABLE.iter().find(|flag| flag.name.plain() == name).expect("a flag");
    let flag = flag.value(Arch::native()).expect("a value");
    let mut kernel =
        Choosy { console: Console::on(new()), file: None, flag, errno, only, asked: 0 };
    let code =
        command::main(&mut kernel, &["mapprobe", "require", &format!("{name}:/dax/file")], TABLE);
    (code, kernel.console.said().0, kernel.asked)
}

/// Errors that have other reasons than the file are no answer of the file.
#[test]
fn some_errors_are_no_answer_of_a_file() {
    for errno in
        [Errno::ENOMEM, Errno::EPERM, Errno::EAGAIN, Errno::ENOSYS, Errno::EACCES, Errno::ENODEV]
    {
        let tells = [Errno::EACCES, Errno::ENODEV].contains(&errno);
        let (code, verdict) = if tells { (1, "unavailable") } else { (3, "inconclusive") };
        let line = format!(
            "MAP_POPULATE:/dax/file: {verdict}: on this file: {}\n",
            errno.name().expect("a name").plain()
        );
        let (got, said, _) = refused("MAP_POPULATE", errno, None);
        assert_eq!((got, said), (code, line));
    }
}

/// A file that takes `MAP_SYNC` in one call and refuses it in another: nobody can tell.
#[test]
fn a_file_that_contradicts_itself_cannot_be_told() {
    let (code, said, calls) = refused("MAP_SYNC", Errno::EOPNOTSUPP, Some(0));
    assert_eq!((code, said.as_str()), (0, ""));
    let line = "MAP_SYNC:/dax/file: inconclusive: on this file: EOPNOTSUPP; \
                may help: MAP_SYNC:PATH of a file on DAX, Linux >= 4.15\n";
    for only in 1..=calls {
        let (code, said, _) = refused("MAP_SYNC", Errno::EOPNOTSUPP, Some(only));
        assert_eq!((code, said.as_str()), (3, line), "call {only} of {calls}");
    }
    assert!(calls > 2, "{calls}");
}

#[test]
fn what_a_file_was_not_asked_cannot_be_told() {
    expect(
        new(),
        "MAP_HUGE_2MB:/ext4/file",
        3,
        &["MAP_HUGE_2MB:/ext4/file: inconclusive: on this file: not asked"],
    );
    let huge = "MAP_POPULATE:/hugetlbfs/file: inconclusive: on this file: not asked";
    expect(new(), "MAP_POPULATE:/hugetlbfs/file", 3, &[huge]);
    if NATIVE == Machine::X86 {
        let filters =
            Rules::liars().into_iter().filter(|(name, _)| name == "filter: SYNC is EPERM");
        for (name, rules) in filters {
            let (code, said, _) = run(rules, "require MAP_SYNC:/dax/file");
            assert_eq!(code, 3, "{name}: {said}");
            assert!(
                said.starts_with("MAP_SYNC:/dax/file: inconclusive: on this file: EPERM; "),
                "{name}: {said}"
            );
        }
    }
}

#[test]
fn paths_may_have_colons_and_must_open() {
    let mut console = Console::on(new());
    console.file("/tmpfs/a:b", b"x");
    assert_eq!(console.run(&["require", "MAP_POPULATE:/tmpfs/a:b", "MAP_GROWSDOWN:/tmpfs/a:b"]), 1);
    let line = "MAP_GROWSDOWN:/tmpfs/a:b: unavailable: on this file: EINVAL\n";
    assert_eq!(console.said(), (line.to_string(), String::new()));
    // A name is spelled as in the report.
    console.file("/tmpfs/\"\u{e4}", b"x");
    assert_eq!(
        console.run(&["require", "MAP_POPULATE:/tmpfs/\"\u{e4}", "MAP_GROWSDOWN:/tmpfs/\"\u{e4}"]),
        1
    );
    let line = "MAP_GROWSDOWN:/tmpfs/\\\"\\u00e4: unavailable: on this file: EINVAL\n";
    assert_eq!(console.said(), (line.to_string(), String::new()));
    // More are asked for than there may be paths, but all are one.
    assert_eq!(
        run(new(), &format!("require{}", " MAP_POPULATE:/ext4/file".repeat(70))),
        (0, String::new(), String::new())
    );
    for (path, complaint) in
        [("/nowhere", "/nowhere: cannot be opened: ENOENT"), ("", ": cannot be opened: ENOENT")]
    {
        let said = (2, String::new(), format!("mapprobe: {complaint}\n"));
        assert_eq!(run(new(), &format!("require MAP_SYNC:{path}")), said);
    }
}

/// With a format the whole report is printed, the lines are told aside, and the exit code is the same.
#[test]
fn a_format_changes_neither_lines_nor_exit_code() {
    let words = "MAP_SYNC MAP_FIXED MAP_DENYWRITE";
    let (code, lines, _) = run(new(), &format!("require {words}"));
    assert_eq!((code, lines.lines().count()), (1, 2));
    for format in ["json", "jsonl", "table", "ktap", "shell", "macros", "prometheus", "nfd"] {
        let whole = run(new(), &format!("--reproducible --format {format}")).1;
        let (code, said, aside) =
            run(new(), &format!("--reproducible --format {format} require {words}"));
        assert_eq!((code, &aside), (1, &lines), "{format}");
        if format == "ktap" {
            // Only there a row says that it was required.
            let bad: Vec<&str> = said.lines().filter(|line| line.starts_with("not ok")).collect();
            assert_eq!(bad, ["not ok 10 MAP_DENYWRITE", "not ok 18 MAP_SYNC"]);
        } else {
            assert_eq!(said, whole, "{format}");
        }
    }
    assert_eq!(run(new(), "require MAP_FIXED --format shell").2, "");
}

#[test]
fn with_a_recording() {
    let mut console = Console::on(new());
    let line = "MAP_SYNC:/ext4/file: unavailable: on this file: EOPNOTSUPP; may help: MAP_SYNC:PATH of a file on DAX\n";
    let words = ["require", "MAP_SYNC:/ext4/file", "MAP_SYNC:/dax/file", "--record"];
    let with = |last: &[&'static str]| words.iter().chain(last).copied().collect::<Vec<_>>();
    assert_eq!(console.run(&with(&["/tmpfs/recording"])), 1);
    assert_eq!(console.said(), (line.to_string(), String::new()));
    // The recording where the lines would be, and they aside.
    assert_eq!(console.run(&with(&["-"])), 1);
    let (said, aside) = console.said();
    assert!(said.starts_with("mapprobe recording 1\n") && aside == line, "{aside}");
    // The order of paths is another, and one is enough.
    for words in ["MAP_SYNC:/dax/file MAP_SYNC:/ext4/file", "MAP_SYNC:/ext4/file"] {
        let words: Vec<&str> = ["require", "--replay", "/tmpfs/recording"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        assert_eq!(console.run(&words), 1);
        assert_eq!(console.said(), (line.to_string(), String::new()), "{words:?}");
    }
    assert_eq!(
        console.run(&[
            "require",
            "MAP_FIXED",
            "MAP_SYNC:/tmpfs/file",
            "--replay",
            "/tmpfs/recording"
        ]),
        2
    );
    let complaint = "mapprobe: MAP_SYNC:/tmpfs/file: the recording does not say\n";
    assert_eq!(console.said(), (String::new(), complaint.to_string()));
}

/// Real kernels, as the lab recorded them. What they are like is known (`tests/facts/` has the sources).
#[test]
fn of_real_kernels() {
    let lines: &[(&str, &str, i32, &str)] = &[
        ("x86_64-6.12", "MAP_DROPPABLE MAP_STACK MAP_FIXED_NOREPLACE MAP_ABOVE4G", 0, ""),
        (
            "x86_64-6.1",
            "MAP_DROPPABLE MAP_FIXED",
            1,
            "MAP_DROPPABLE: unknown: refused like unknown flags; may help: Linux >= 6.11\n",
        ),
        ("hppa-6.1", "MAP_SYNC", 1, "MAP_SYNC: absent: no such flag on this architecture\n"),
        (
            "hppa-6.1",
            "MAP_GROWSDOWN",
            1,
            "MAP_GROWSDOWN: unavailable: known; no effect was seen; may help: ulimit -s\n",
        ),
        (
            "hppa-6.12",
            "MAP_DROPPABLE",
            1,
            "MAP_DROPPABLE: unavailable: the kernel has no room; may help: a 64-bit kernel\n",
        ),
        (
            "hppa-6.12",
            "MAP_HUGETLB",
            1,
            "MAP_HUGETLB: unavailable: not offered by this machine; may help: CONFIG_HUGETLBFS, another processor\n",
        ),
        ("hppa64-6.12", "MAP_SHARED_VALIDATE MAP_DROPPABLE", 0, ""),
    ];
    for &(name, words, code, expected) in lines {
        let (got, said, complained) = replayed(name, "report", words);
        assert_eq!(
            (got, said.as_str(), complained.as_str()),
            (code, expected, ""),
            "{name} {words}"
        );
    }
    // A sweep has no verdicts.
    let complaint = "mapprobe: MAP_FIXED: the recording does not say\n";
    assert_eq!(
        replayed("x86_64-6.1", "sweep", "MAP_FIXED"),
        (2, String::new(), complaint.to_string())
    );
}

fn replayed(name: &str, what: &str, words: &str) -> (i32, String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/recordings/lab/{name}.{what}.txt"));
    let recording =
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut console = Console::on(new());
    console.file("/tmpfs/recording", &recording);
    let words: Vec<&str> =
        ["require", "--replay", "/tmpfs/recording"].into_iter().chain(words.split(' ')).collect();
    let code = console.run(&words);
    let (said, complained) = console.said();
    (code, said, complained)
}

/// Every flag on every recorded kernel: the exit code follows from the word in the report, and nothing else.
#[test]
fn every_flag_alone() {
    for name in ["x86_64-5.10", "x86_64-7.x", "aarch64-6.1", "hppa-5.10", "hppa64-6.12"] {
        let whole = replayed(name, "report", "MAP_FIXED --format shell").1;
        for flag in NAMES {
            let (code, said, _) = replayed(name, "report", flag);
            let expected = match said.strip_prefix(flag).and_then(|line| line.split(": ").nth(1)) {
                None => 0,
                Some("ignored" | "unknown" | "unavailable" | "absent") => 1,
                Some("inconclusive") => 3,
                Some(other) => panic!("{name} {flag}: {other}"),
            };
            let verdict = whole
                .lines()
                .find_map(|line| line.strip_prefix(&format!("MAPPROBE_{flag}='")))
                .expect("a row");
            let met = ["honored'", "accepted'"].contains(&verdict);
            assert_eq!(
                (code, said.is_empty(), code == 0),
                (expected, met, met),
                "{name} {flag}: {verdict} {said}"
            );
            assert!(
                met || said.contains(verdict.trim_end_matches('\'')),
                "{name} {flag}: {verdict} {said}"
            );
        }
    }
}
