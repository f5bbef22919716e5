//! Many boots: prepared one after the other, then two scenarios at a time.

use super::outcome::{Completed, Entry, Origin, Outcome, Question};
use super::{BootSpec, compare};
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

/// What is booted, and how.
pub struct Plan<'a> {
    /// Every kernel in every scenario of these that is not left out.
    pub kernels: Vec<&'static Kernel>,
    /// The scenarios.
    pub scenarios: Vec<&'static Scenario>,
    /// The program for a kernel.
    pub program: &'a dyn Fn(&Kernel) -> Result<Vec<u8>>,
    /// Words for the program instead of the lab's own questions.
    pub words: Option<&'a str>,
    /// An image that is booted instead of the kernel's own.
    pub image: Option<&'a Path>,
    /// Where what was said is written.
    pub directory: &'a Path,
    /// How long a scenario may take.
    pub deadline: Duration,
}

/// A kernel that can be booted.
struct Ready {
    program: Vec<u8>,
    origin: Origin,
}

/// Boots everything of a plan. One that fails does not keep the others from being booted. The answer is in the plan's order.
pub fn run(plan: &Plan) -> Vec<Entry> {
    let mut entries = Vec::new();
    for &kernel in &plan.kernels {
        for &scenario in &plan.scenarios {
            let mut ask = |question| {
                let skipped = scenario.skipped(kernel).map(Outcome::Skipped);
                let outcome =
                    skipped.unwrap_or_else(|| Outcome::Failed("It was not booted.".into()));
                entries.push(Entry { kernel, scenario, question, outcome });
            };
            ask(Question::Report);
            if scenario.name == "root" && plan.words.is_none() {
                ask(Question::FreeBits);
            }
        }
    }
    // Builds use the whole machine, so they come first, one after the other.
    let booted = |kernel: &&&'static Kernel| {
        let boots = |entry: &Entry| !matches!(entry.outcome, Outcome::Skipped(_));
        entries.iter().any(|entry| entry.kernel.name == kernel.name && boots(entry))
    };
    let ready: BTreeMap<&str, Result<Ready, String>> = plan
        .kernels
        .iter()
        .filter(booted)
        .map(|kernel| (kernel.name, ready(plan, kernel).map_err(|error| format!("{error:#}"))))
        .collect();

    let to_boot = |entry: &&mut Entry| !matches!(entry.outcome, Outcome::Skipped(_));
    let queue: Vec<Mutex<&mut Entry>> =
        entries.iter_mut().filter(to_boot).map(Mutex::new).collect();
    let (next, step) = (AtomicUsize::new(0), Mutex::new(Step::begin("the lab")));
    let holding = "no holder panics";
    step.lock().expect(holding).items(queue.len() as u64);
    let (words, image, directory, deadline) =
        (plan.words, plan.image, plan.directory, plan.deadline);
    thread::scope(|scope| {
        for _ in 0..qemu::AT_ONCE {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(entry) = queue.get(at) else { break };
                    let mut entry = entry.lock().expect(holding);
                    let place = format!("{}/{}", at + 1, queue.len());
                    let (kernel, scenario, question) =
                        (entry.kernel, entry.scenario, entry.question);
                    let words = words.unwrap_or(question.words());
                    let way = BootSpec { kernel, scenario, image, words, deadline, place: &place };
                    let told = match &ready[kernel.name] {
                        Ok(ready) => told(&way, question, ready, directory)
                            .map_err(|error| format!("{error:#}")),
                        Err(sentence) => Err(sentence.clone()),
                    };
                    entry.outcome = told
                        .map_or_else(Outcome::Failed, |told| Outcome::Completed(Box::new(told)));
                    let mut step = step.lock().expect(holding);
                    step.item();
                    if entry.failed() {
                        step.say(&format!("{}: not as it should be; see below", entry.name()));
                    }
                }
            });
        }
    });
    drop(queue);
    entries
}

/// Gets a kernel, its emulator and its program.
fn ready(plan: &Plan, kernel: &'static Kernel) -> Result<Ready> {
    let provenance = match plan.image {
        Some(image) => crate::cache_entry::of_file(image)?,
        None => kernel.image()?.provenance,
    };
    let emulator = kernel.emulator.program(&targets::of(kernel.arch).machine)?.version()?;
    let suite = if plan.image.is_some() { "" } else { kernel.origin.suite() };
    Ok(Ready { program: (plan.program)(kernel)?, origin: Origin { provenance, suite, emulator } })
}

/// Boots one kernel, keeps what it said, and compares it with what is known.
fn told(way: &BootSpec, question: Question, ready: &Ready, directory: &Path) -> Result<Completed> {
    let output = way.boot(&ready.program)?;
    let json = serde_json::from_slice::<serde_json::Value>(&output.text).is_ok();
    let file = directory.join(file_name(way, question, json));
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&file, &output.text))
        .with_context(|| format!("{} cannot be written.", file.display()))?;
    let there = || format!("What the scenario said is in {}.", file.display());
    let document = output.document().with_context(there)?;
    let report = document.as_ref().filter(|document| document["schema"] == "mapprobe.report");
    let compared = match report {
        Some(report) => Some(compare(report, way.kernel, way.scenario).with_context(there)?),
        None => None,
    };
    let text = String::from_utf8_lossy(&output.text).into_owned();
    Ok(Completed {
        time: output.time,
        exit: output.exit,
        text,
        file,
        origin: ready.origin.clone(),
        document,
        compared,
    })
}

/// `NAME.json` in the plain scenario, `NAME.GUEST.json` in another.
fn file_name(way: &BootSpec, question: Question, json: bool) -> PathBuf {
    let mut name = way.kernel.name.to_owned();
    for part in [way.scenario.name, question.words()]
        .into_iter()
        .filter(|part| !["", "root"].contains(part))
    {
        name = format!("{name}.{part}");
    }
    PathBuf::from(name + if json { ".json" } else { ".txt" })
}
