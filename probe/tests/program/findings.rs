//! What a run found out, as words: the only place where these tests meet the types of a report.

use mapprobe::arch::Arch;
use mapprobe::cli::{self, Asked, Options};
use mapprobe::command;
use mapprobe::flags::TABLE;
use mapprobe::kernel::model::{Machine, Model, Rules};
use mapprobe::kernel::replay::Recorder;
use mapprobe::kernel::{Answer, Call, Fd, How, Kernel, Op};
use mapprobe::paths::Paths;
use mapprobe::recording;
use mapprobe::report::{self, Report};
use mapprobe::run;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The words of a run. Nothing is left open: a report could be compared with another by `==`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Name, verdict and reason code, in the order of the table.
    pub rows: Vec<(&'static str, &'static str, &'static str)>,
    /// What lies between the program and a kernel.
    pub environment: Vec<&'static str>,
    /// Whether `MAP_SHARED_VALIDATE` is there, whether it validates, and the bits that select a map type.
    pub validation: Option<(Option<bool>, Option<bool>, Option<u64>)>,
    /// Whether every row has its finding.
    pub complete: bool,
}

impl Findings {
    /// The verdict about a flag.
    #[track_caller]
    pub fn verdict(&self, name: &str) -> &'static str {
        self.rows.iter().find(|row| row.0 == name).expect("every row has a finding").1
    }
}

/// The architecture whose numbers a machine uses.
pub fn arch(machine: Machine) -> Arch {
    match machine {
        Machine::X86 => Arch::X86_64,
        Machine::Arm64 | Machine::Arm64Large => Arch::Aarch64,
        Machine::Parisc | Machine::Parisc64 => Arch::Hppa,
    }
}

/// What the words of a command line ask for.
pub fn options(words: &[&str]) -> Options {
    let (mut options, mut said) = (Options::default(), String::new());
    assert_eq!(cli::read(words, &mut options, &mut said), Some(Asked::Kernel), "{words:?}: {said}");
    options
}

/// Asks a kernel about every row of the table. The error is a sentence about a path.
pub fn probe(
    kernel: &mut dyn Kernel,
    machine: Machine,
    paths: &[&str],
    thorough: bool,
) -> Result<Findings, String> {
    let mut words: Vec<&str> = paths.iter().flat_map(|path| ["--path", path]).collect();
    words.extend(thorough.then_some("--thorough"));
    let options = options(&words);
    let opened = Paths::open(kernel, &options.path)?;
    let report = run::probe(kernel, arch(machine), TABLE, opened.files(), &options, &mut |_| {});
    opened.close(kernel);
    Ok(Findings {
        rows: report
            .rows
            .iter()
            .map(|row| {
                (
                    row.flag.name.plain(),
                    row.finding.0.word().plain(),
                    row.finding.1.cause.code().plain(),
                )
            })
            .collect(),
        environment: report.lies().map(|lie| lie.0.plain()).collect(),
        validation: report
            .validation
            .as_ref()
            .map(|(found, _)| (found.present, found.validating, found.type_mask)),
        complete: report.complete,
    })
}

/// What a run prints. The error is a sentence.
pub fn text(kernel: &mut dyn Kernel, machine: Machine, words: &[&str]) -> Result<String, String> {
    let options = options(words);
    run::report(kernel, arch(machine), &options, TABLE, &mut |_| {})
        .map(|report| form(report, &options))
}

/// A report as it is printed.
fn form(mut report: Report, options: &Options) -> String {
    report.style = options.style.clone();
    let format = report::format(report.what, options, &mut String::new())
        .expect("a format that can print this");
    (format.write)(&report)
}

/// What a run prints, and its recording. The program records on its own architecture; for others the recording is put together here.
pub fn record(kernel: &mut dyn Kernel, machine: Machine, words: &[&str]) -> (String, String) {
    if arch(machine) == Arch::native() {
        let options = options(words);
        let mut recording = String::new();
        let report =
            recording::record(kernel, &options, TABLE, &mut recording).expect("a recording");
        return (form(report, &options), recording);
    }
    let mut head = format!("mapprobe recording 1\narch {}\n", arch(machine).name());
    let format = words.iter().position(|&word| word == "--format");
    for (at, word) in words.iter().enumerate() {
        if format.is_none_or(|format| at != format && at != format + 1) && *word != "--reproducible"
        {
            head += &format!("argument {word}\n");
        }
    }
    let mut recorder = Recorder::new(kernel, head);
    let text = text(&mut recorder, machine, words).expect("a report");
    (text, recorder.end())
}

/// What a recording prints. The error is a sentence.
pub fn replay(recording: &[u8], words: &[&str]) -> Result<String, String> {
    let options = options(words);
    recording::replay(recording, TABLE, options.reproducible).map(|report| form(report, &options))
}

/// A kernel made of rules, and what was written to standard output and to standard error.
pub struct Console {
    pub model: Model,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Console {
    pub fn on(rules: Rules) -> Console {
        Console { model: Model::new(rules), stdout: Vec::new(), stderr: Vec::new() }
    }

    /// The whole program. Returns its exit code.
    pub fn run(&mut self, words: &[&str]) -> i32 {
        let words: Vec<&str> = ["mapprobe"].iter().chain(words).copied().collect();
        command::main(self, &words, TABLE)
    }

    /// Writes a file.
    pub fn file(&mut self, path: &str, bytes: &[u8]) {
        let kernel = &mut self.model as &mut dyn Kernel;
        let file = kernel.open(path, How::Create).result().expect("a file") as Fd;
        kernel.write(file, bytes).result().expect("a write");
        kernel.close(file).result().expect("a close");
    }

    /// Takes what was said: standard output, then standard error.
    pub fn said(&mut self) -> (String, String) {
        let text = |bytes: &mut Vec<u8>| String::from_utf8(std::mem::take(bytes)).expect("text");
        (text(&mut self.stdout), text(&mut self.stderr))
    }
}

impl Kernel for Console {
    fn call(&mut self, call: &mut Call) -> Answer {
        match (call.op, call.args[0]) {
            (Op::Write, 1) => self.stdout.extend_from_slice(call.input),
            (Op::Write, 2) => self.stderr.extend_from_slice(call.input),
            _ => {}
        }
        self.model.call(call)
    }
}

/// Asks a kernel made of these rules. What ends the run, and what is left behind by it, is a complaint.
pub fn attempt(rules: &Rules, paths: &[&str], thorough: bool) -> Result<Findings, String> {
    let run = || {
        let mut model = Model::new(rules.clone());
        (probe(&mut model, rules.machine, paths, thorough), model.left())
    };
    let (findings, left) = catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        said.or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string()))
            .unwrap_or_default()
    })?;
    if left.is_empty() {
        findings
    } else {
        Err(format!("something is left behind: {}", left.join(", ")))
    }
}

/// The same, where nothing may be wrong.
#[track_caller]
pub fn verdicts(rules: &Rules, paths: &[&str], thorough: bool) -> Findings {
    attempt(rules, paths, thorough).expect("a run that leaves nothing behind")
}
