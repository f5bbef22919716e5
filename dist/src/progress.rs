//! What a person sees while something takes long: a spinner or a bar on a terminal, plain lines anywhere else. All on
//! stderr, so that stdout carries results only.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::Write;
use std::io::{IsTerminal, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Every bar of this process, one below the other.
static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A step at work: shown until it is dropped, [`done`](Step::done) or [`said`](Step::say) otherwise.
pub struct Step {
    what: String,
    began: Instant,
    bar: Option<ProgressBar>,
    told: Instant,
}

/// How often a long transfer says where it is when stderr is no terminal.
const TELL: Duration = Duration::from_secs(15);

impl Step {
    /// Begins a step. `what` is a phrase such as `x86_64: compiling`.
    pub fn begin(what: impl Into<String>) -> Step {
        let what = what.into();
        let bar = stderr().is_terminal().then(|| {
            let bar = BARS.add(ProgressBar::new_spinner()).with_message(what.clone());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg} {elapsed}")
                    .expect("a constant template"),
            );
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Step { what, began: Instant::now(), bar, told: Instant::now() }
    }

    /// Turns the step into a transfer of `total` bytes.
    pub fn total(&mut self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            let shape = "{spinner} {msg} [{bar:30}] {bytes}/{total_bytes} {eta}";
            bar.set_style(ProgressStyle::with_template(shape).expect("a constant template"));
        }
    }

    /// Turns the step into so many others, which tell about themselves.
    pub fn items(&mut self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            let shape = "{spinner} {msg} [{bar:30}] {pos}/{len} {elapsed}";
            bar.set_style(ProgressStyle::with_template(shape).expect("a constant template"));
        }
    }

    /// One of them is done.
    pub fn item(&mut self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// `bytes` of the transfer have arrived.
    pub fn at(&mut self, bytes: u64, total: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(bytes),
            None if self.told.elapsed() >= TELL => {
                self.told = Instant::now();
                say(&format!("{}: {} of {} MB", self.what, bytes / 1_000_000, total / 1_000_000));
            }
            None => {}
        }
    }

    /// A line about something that happened on the way.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(_) => {
                // A line above all bars; it is lost only with the terminal.
                let _ = BARS.println(line);
            }
            None => say(line),
        }
    }

    /// Ends the step with its line and the time it took.
    pub fn done(self) {
        let line = format!("{} ({:.1} s)", self.what, self.began.elapsed().as_secs_f32());
        self.say(&line);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A line on stderr. Written directly: the print macros are held back while tests run, and these lines are for whoever waits.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
