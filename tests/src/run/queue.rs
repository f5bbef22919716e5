//! Many boots: kernels and programs are prepared one after the other, then guests run in parallel.

use super::boot::BootSpec;
use super::comparison::compare;
use super::outcome::{Completed, Entry, Origin, Outcome, Query};
use crate::cache_entry;
use crate::kernels::Kernel;
use crate::qemu;
use crate::scenarios::Scenario;
use anyhow::{Context, Result};
use dist::progress::Step;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// What is booted, and how: every kernel in every scenario that has no skip for it.
pub struct Plan<'a> {
    pub kernels: Vec<&'static Kernel>,
    pub scenarios: Vec<&'static Scenario>,
    /// Returns the program for a kernel.
    pub program: &'a (dyn Fn(&Kernel) -> Result<Vec<u8>> + Sync),
    /// Arguments of the program that replace the lab's own queries.
    pub arguments: Option<&'a str>,
    /// A kernel image that replaces the kernel's own.
    pub image: Option<&'a Path>,
    /// The directory for the output of the boots.
    pub directory: &'a Path,
    /// The time limit of a boot.
    pub deadline: Duration,
}

/// What the boots of one kernel share.
struct Ready {
    program: Vec<u8>,
    origin: Origin,
}

/// Boots everything of a plan. A failed boot does not stop the others. The result has the order of
/// the plan.
pub fn run(plan: &Plan) -> Vec<Entry> {
    let mut entries = entries(plan);
    // Builds of kernels use every processor, so they precede the boots, one after the other.
    let ready: BTreeMap<&str, Result<Ready, String>> = plan
        .kernels
        .iter()
        .filter(|kernel| {
            entries.iter().any(|entry| entry.kernel.name == kernel.name && !entry.skipped())
        })
        .map(|kernel| (kernel.name, ready(plan, kernel).map_err(|error| format!("{error:#}"))))
        .collect();
    let queue: Vec<Mutex<&mut Entry>> =
        entries.iter_mut().filter(|entry| !entry.skipped()).map(Mutex::new).collect();
    let (next, step) = (AtomicUsize::new(0), Mutex::new(Step::begin("the lab")));
    let no_panic = "no holder of the lock panics";
    step.lock().expect(no_panic).items(queue.len() as u64);
    thread::scope(|scope| {
        for _ in 0..qemu::AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(entry) = queue.get(at) else { break };
                    let mut entry = entry.lock().expect(no_panic);
                    let position = format!("{}/{}", at + 1, queue.len());
                    let booted = match &ready[entry.kernel.name] {
                        Ok(ready) => boot(plan, &entry, &position, ready)
                            .map_err(|error| format!("{error:#}")),
                        Err(message) => Err(message.clone()),
                    };
                    entry.outcome = booted.map_or_else(Outcome::Failed, |completed| {
                        Outcome::Completed(Box::new(completed))
                    });
                    let mut step = step.lock().expect(no_panic);
                    step.item();
                    if entry.failed() {
                        step.say(&format!("{}: failed; see the summary", entry.name()));
                    }
                }
            });
        }
    });
    drop(queue);
    entries
}

/// The entries of a plan, none of them booted.
fn entries(plan: &Plan) -> Vec<Entry> {
    let mut entries = Vec::new();
    for &kernel in &plan.kernels {
        for &scenario in &plan.scenarios {
            let mut add = |query| {
                let skipped = scenario.skipped(kernel).map(Outcome::Skipped);
                let outcome = skipped.unwrap_or_else(|| Outcome::Failed("not booted".into()));
                entries.push(Entry { kernel, scenario, query, outcome });
            };
            add(Query::Report);
            if scenario.name == "root" && plan.arguments.is_none() {
                add(Query::FreeBits);
            }
        }
    }
    entries
}

/// Gets a kernel, its emulator and its program.
fn ready(plan: &Plan, kernel: &'static Kernel) -> Result<Ready> {
    let (provenance, suite) = match plan.image {
        Some(image) => (cache_entry::of_file(image)?, None),
        None => (kernel.image()?.provenance, Some(kernel.origin.suite())),
    };
    let emulator = kernel.emulator.program(&targets::of(kernel.arch).machine)?.version()?;
    Ok(Ready { program: (plan.program)(kernel)?, origin: Origin { provenance, suite, emulator } })
}

/// Boots one kernel, writes the output to its file, and compares it with the expectations.
fn boot(plan: &Plan, entry: &Entry, position: &str, ready: &Ready) -> Result<Completed> {
    let Entry { kernel, scenario, query, .. } = *entry;
    let (image, deadline) = (plan.image, plan.deadline);
    let arguments = plan.arguments.unwrap_or(query.arguments());
    let spec = BootSpec { kernel, scenario, image, arguments, deadline, position };
    let output = spec.boot(&ready.program)?;
    let json = serde_json::from_slice::<serde_json::Value>(&output.text).is_ok();
    let file = plan.directory.join(file_name(entry, json));
    fs::create_dir_all(plan.directory)
        .and_then(|()| fs::write(&file, &output.text))
        .with_context(|| format!("{} cannot be written.", file.display()))?;
    let where_to_look = || format!("The output is in {}.", file.display());
    let document = output.document().with_context(where_to_look)?;
    let report = document.as_ref().filter(|document| document["schema"] == "mapprobe.report");
    let compared = match report {
        Some(report) => Some(compare(report, kernel, scenario).with_context(where_to_look)?),
        None => None,
    };
    let text = String::from_utf8_lossy(&output.text).into_owned();
    let (time, exit, origin) = (output.time, output.exit, ready.origin.clone());
    Ok(Completed { time, exit, text, file, origin, document, compared })
}

/// `KERNEL.json` in the scenario root, `KERNEL.SCENARIO.json` in another.
fn file_name(entry: &Entry, json: bool) -> PathBuf {
    let mut name = entry.kernel.name.to_owned();
    let parts = [entry.scenario.name, entry.query.arguments()];
    for part in parts.into_iter().filter(|part| !["", "root"].contains(part)) {
        name = format!("{name}.{part}");
    }
    PathBuf::from(name + if json { ".json" } else { ".txt" })
}
