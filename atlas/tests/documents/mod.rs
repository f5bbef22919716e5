//! Documents for the tests: recorded runs of real kernels, as this version of mapprobe reads them.

use atlas::{models, recordings};
use mapprobe::cli::What;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A kernel of every architecture, and more.
pub const KERNELS: [&str; 6] =
    ["x86_64-5.10", "x86_64-7.x", "aarch64-6.1", "aarch64-7.x-16k", "hppa-5.10", "hppa64-6.12"];

/// A recorded kernel's document, in its envelope.
pub fn envelope(kernel: &str, what: What) -> Value {
    let name = if what == What::Report { "report" } else { "sweep" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings/lab");
    let recording = fs::read(folder.join(format!("{kernel}.{name}.txt"))).unwrap();
    recordings::document(kernel, &recording, what).unwrap().value
}

/// The bare report of a recorded kernel.
#[allow(dead_code, reason = "not every test needs it")]
pub fn report(kernel: &str) -> Value {
    envelope(kernel, What::Report)["document"].clone()
}

/// Every document of the kernels above and of the models.
#[allow(dead_code, reason = "not every test needs them")]
pub fn all() -> Vec<Value> {
    let recorded = KERNELS.iter().flat_map(|kernel| What::ALL.map(|what| envelope(kernel, what)));
    recorded.chain(models::documents().unwrap().into_iter().map(|found| found.value)).collect()
}

/// Writes documents into a file, one on each line.
#[allow(dead_code, reason = "not every test needs it")]
pub fn write(folder: &Path, name: &str, documents: &[Value]) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, documents.iter().map(|document| format!("{document}\n")).collect::<String>())
        .unwrap();
    file
}

/// Runs the program: exit code, standard output, standard error.
#[allow(dead_code, reason = "not every test needs it")]
pub fn atlas(words: &[&str], files: &[&Path]) -> (i32, String, String) {
    let said = std::process::Command::new(env!("CARGO_BIN_EXE_atlas"))
        .args(words)
        .args(files)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (said.status.code().unwrap(), text(said.stdout), text(said.stderr))
}
