//! The formats, each parsed by a program that uses it. The kernels are recordings of real kernels,
//! some simulated kernels, and one whose release breaks unquoted output. The program is the
//! released one.

mod agreement;
mod ansible;
mod jsonl;
mod ktap;
mod macros;
mod nfd;
mod prometheus;
mod queries;
mod shell;
mod table;

use kernel::UTS_FIELD;
use lab::library::{self, Rules};
use lab::{artifacts, report};
use mapprobe::arch::Arch;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A release that closes quotes, comments, lines and commands. `struct new_utsname` has room for 64
/// bytes.
const HOSTILE: &str = "6'\";$(touch x)`touch x`/* */ x\n#\\n%n {}=\u{fc}\u{1b}[31m//";

/// A kernel with a recording.
struct Kernel {
    name: String,
    recording: PathBuf,
    /// The report about it as JSON.
    json: Value,
}

impl Kernel {
    /// The output of the program for this kernel.
    fn text(&self, arguments: &[&str]) -> String {
        let run = mapprobe(&[&["--replay", self.recording.to_str().unwrap()], arguments].concat());
        assert_eq!(
            (run.status.code(), run.stderr.is_empty()),
            (Some(0), true),
            "{}: {arguments:?}: {run:?}",
            self.name
        );
        String::from_utf8(run.stdout).unwrap()
    }

    /// Flags and verdicts as in JSON.
    fn verdicts(&self) -> Vec<(String, String)> {
        verdicts(&self.json)
    }

    /// Flags about huge pages, and whether a page can be had, as in JSON.
    fn pages(&self) -> Vec<(String, String)> {
        pages(&self.json)
    }

    fn release(&self) -> &str {
        self.json["kernel"]["release"].as_str().unwrap()
    }

    /// The names of the interference in the report.
    fn environment(&self) -> Vec<&str> {
        self.json["environment"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["name"].as_str().unwrap())
            .collect()
    }
}

/// The released program.
fn program() -> &'static Path {
    &artifacts::of(Arch::X86_64).unwrap().path
}

fn mapprobe(arguments: &[&str]) -> Output {
    Command::new(program()).args(arguments).output().unwrap()
}

fn verdicts(json: &Value) -> Vec<(String, String)> {
    let rows = json["flags"].as_array().unwrap().iter();
    rows.map(|row| ["name", "verdict"].map(|key| row[key].as_str().unwrap().to_owned()).into())
        .collect()
}

fn pages(json: &Value) -> Vec<(String, String)> {
    let rows = json["flags"].as_array().unwrap().iter();
    let answered = rows.filter(|row| !row["available"].is_null());
    answered
        .map(|row| ["name", "available"].map(|key| row[key].as_str().unwrap().to_owned()).into())
        .collect()
}

/// The values of `--format`.
fn formats() -> impl Iterator<Item = &'static str> {
    library::format_names()
}

/// Every kernel of these tests.
fn kernels() -> &'static [Kernel] {
    static KERNELS: OnceLock<(TempDir, Vec<Kernel>)> = OnceLock::new();
    &KERNELS
        .get_or_init(|| {
            let directory = tempfile::tempdir().unwrap();
            let recordings = recorded().into_iter().chain(simulated()).chain([hostile()]);
            let kernels = recordings.map(|(name, recording)| {
                let path = directory.path().join(&name);
                fs::write(&path, recording).unwrap();
                let mut kernel = Kernel { name, recording: path, json: Value::Null };
                kernel.json = report::parse(kernel.text(&[]).as_bytes()).unwrap();
                kernel
            });
            let kernels = kernels.collect();
            (directory, kernels)
        })
        .1
}

/// The kernel with the hostile name.
fn the_hostile() -> &'static Kernel {
    kernels()
        .iter()
        .find(|kernel| kernel.release() == HOSTILE)
        .expect("a kernel with a hostile name")
}

/// Recordings of booted kernels.
fn recorded() -> Vec<(String, String)> {
    let directory = dist::workspace::root().join("probe/tests/recordings/lab");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let reports = names.filter(|path| path.to_str().unwrap().ends_with(".report.txt"));
    let named = reports.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), path));
    named.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

/// Recordings of simulated kernels.
fn simulated() -> Vec<(String, String)> {
    let old = Rules { validate: false, noreplace: false, ..Rules::x86_6_1() };
    let kernels = [
        ("before MAP_SHARED_VALIDATE", Arch::X86_64, old),
        ("WSL1", Arch::X86_64, Rules::wsl1()),
        ("gVisor", Arch::X86_64, Rules::gvisor()),
        ("no MMU", Arch::X86_64, Rules::nommu()),
        ("PA-RISC", Arch::Hppa, Rules::parisc_6_1()),
        ("a pool of huge pages", Arch::X86_64, Rules { pool: 4, ..Rules::x86_6_1() }),
    ];
    let record = |(name, arch, rules): (&str, Arch, Rules)| {
        (name.into(), library::record(arch, rules).unwrap())
    };
    kernels.map(record).into()
}

/// A recording of a kernel with a hostile release.
fn hostile() -> (String, String) {
    let (_, recording) =
        recorded().into_iter().find(|(name, _)| name == "x86_64-6.1.report").unwrap();
    let mut field = HOSTILE.as_bytes().to_vec();
    assert!(field.len() < UTS_FIELD);
    field.resize(UTS_FIELD, 0);
    let field: String = field.iter().map(|byte| format!("%{byte:02x}")).collect();
    let begin = "uname = 0 > ";
    let line = recording.lines().find(|line| line.starts_with(begin)).unwrap();
    // Each byte as itself or as an escape of three characters.
    let mut bytes = Vec::new();
    let mut rest = &line[begin.len()..];
    while !rest.is_empty() {
        let (byte, behind) = rest.split_at(if rest.starts_with('%') { 3 } else { 1 });
        bytes.push(byte);
        rest = behind;
    }
    let named = [begin, &bytes[..2 * UTS_FIELD].concat(), &field, &bytes[3 * UTS_FIELD..].concat()]
        .concat();
    ("hostile".into(), recording.replace(line, &named))
}

/// The comparisons need an example of every verdict.
#[test]
fn the_kernels_show_every_verdict() {
    let words: BTreeSet<String> =
        kernels().iter().flat_map(Kernel::verdicts).map(|(_, verdict)| verdict).collect();
    let all =
        ["absent", "accepted", "honored", "ignored", "inconclusive", "unavailable", "unknown"];
    assert_eq!(words.iter().map(String::as_str).collect::<Vec<_>>(), all);
    let answers: BTreeSet<String> =
        kernels().iter().flat_map(Kernel::pages).map(|(_, answer)| answer).collect();
    assert_eq!(answers.iter().map(String::as_str).collect::<Vec<_>>(), ["no", "unknown", "yes"]);
    assert!(
        kernels().len() > 15
            && kernels().iter().filter(|kernel| !kernel.environment().is_empty()).count() > 2
    );
    assert_eq!(
        the_hostile().verdicts(),
        kernels().iter().find(|kernel| kernel.name == "x86_64-6.1.report").unwrap().verdicts()
    );
}
