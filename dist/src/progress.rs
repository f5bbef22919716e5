//! Progress of long steps on stderr: spinners and bars on a terminal, plain lines elsewhere.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::Write;
use std::io::{IsTerminal, stderr};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static BARS: LazyLock<MultiProgress> = LazyLock::new(MultiProgress::new);

/// A running step. Its spinner or bar is shown until the step is dropped.
pub struct Step {
    what: String,
    start: Instant,
    bar: Option<ProgressBar>,
    reported: Instant,
}

/// How often a transfer is reported if stderr is not a terminal.
const REPORT_INTERVAL: Duration = Duration::from_secs(15);

impl Step {
    /// `what` is a phrase such as `x86_64: compiling`.
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
        Step { what, start: Instant::now(), bar, reported: Instant::now() }
    }

    /// Shows the step as a transfer of `total` bytes.
    pub fn total(&mut self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            let shape = "{spinner} {msg} [{bar:30}] {bytes}/{total_bytes} {eta}";
            bar.set_style(ProgressStyle::with_template(shape).expect("a constant template"));
        }
    }

    /// Shows the step as `total` items.
    pub fn items(&mut self, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            let shape = "{spinner} {msg} [{bar:30}] {pos}/{len} {elapsed}";
            bar.set_style(ProgressStyle::with_template(shape).expect("a constant template"));
        }
    }

    /// Counts one item as done.
    pub fn item(&mut self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Shows that `bytes` of a transfer have arrived.
    pub fn at(&mut self, bytes: u64, total: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(bytes),
            None if self.reported.elapsed() >= REPORT_INTERVAL => {
                self.reported = Instant::now();
                say(&format!("{}: {} of {} MB", self.what, bytes / 1_000_000, total / 1_000_000));
            }
            None => {}
        }
    }

    /// Prints a line above all bars.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(_) => {
                // Fails only if the terminal is gone.
                let _ = BARS.println(line);
            }
            None => say(line),
        }
    }

    /// Ends the step and prints its duration.
    pub fn done(self) {
        let line = format!("{} ({:.1} s)", self.what, self.start.elapsed().as_secs_f32());
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

/// Prints a line on stderr. The print macros would be captured while tests run.
pub fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
