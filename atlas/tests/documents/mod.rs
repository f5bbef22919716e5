//! Documents for the tests: recordings of real kernels, replayed with this version of mapprobe.

use atlas::{recordings, simulated};
use mapprobe::request::Query;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// At least one kernel of every architecture.
pub const KERNELS: [&str; 6] =
    ["x86_64-5.10", "x86_64-7.x", "aarch64-6.1", "aarch64-7.x-16k", "hppa-5.10", "hppa64-6.12"];

/// The document of a recorded kernel in its envelope.
pub fn envelope(kernel: &str, query: Query) -> Value {
    let recorded = if query == Query::Report { "report" } else { "sweep" };
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings/lab");
    let recording = fs::read(directory.join(format!("{kernel}.{recorded}.txt"))).unwrap();
    recordings::document(kernel, &recording, query).unwrap().value
}

/// The report of a recorded kernel without an envelope.
#[allow(dead_code, reason = "not every test uses it")]
pub fn report(kernel: &str) -> Value {
    envelope(kernel, Query::Report)["document"].clone()
}

/// All documents of [`KERNELS`] and of the simulated kernels.
#[allow(dead_code, reason = "not every test uses it")]
pub fn all() -> Vec<Value> {
    let recorded =
        KERNELS.iter().flat_map(|kernel| Query::ALL.map(|query| envelope(kernel, query)));
    let simulated = simulated::documents().unwrap().into_iter().map(|document| document.value);
    recorded.chain(simulated).collect()
}

/// Writes documents to a file, one per line.
#[allow(dead_code, reason = "not every test uses it")]
pub fn write(directory: &Path, name: &str, documents: &[Value]) -> PathBuf {
    let file = directory.join(name);
    let lines: String = documents.iter().map(|document| format!("{document}\n")).collect();
    fs::write(&file, lines).unwrap();
    file
}

/// What `atlas` printed, and its exit code.
#[allow(dead_code, reason = "not every test uses it")]
#[derive(Debug)]
pub struct Output {
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `atlas`.
#[allow(dead_code, reason = "not every test uses it")]
pub fn atlas(arguments: &[&str], files: &[&Path]) -> Output {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_atlas"))
        .args(arguments)
        .args(files)
        .output()
        .unwrap();
    Output {
        exit: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
