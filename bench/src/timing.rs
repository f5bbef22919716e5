//! Times many runs of two programs.

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The measurements of many runs. Each list is sorted.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// From before fork(2) until after wait(2).
    pub wall_us: Vec<f64>,
    /// User and system time.
    pub cpu_us: Vec<f64>,
    pub page_faults: Vec<f64>,
}

/// The measurements of one run.
struct Sample {
    wall_us: f64,
    cpu_us: f64,
    page_faults: f64,
}

impl Timings {
    fn add(&mut self, sample: &Sample) {
        self.wall_us.push(sample.wall_us);
        self.cpu_us.push(sample.cpu_us);
        self.page_faults.push(sample.page_faults);
    }

    fn sort(&mut self) {
        for values in [&mut self.wall_us, &mut self.cpu_us, &mut self.page_faults] {
            values.sort_by(f64::total_cmp);
        }
    }
}

/// A quantile of a sorted list. The median is the quantile 0.5.
pub fn quantile(sorted: &[f64], fraction: f64) -> f64 {
    let index = (sorted.len().saturating_sub(1) as f64 * fraction).round() as usize;
    sorted.get(index).copied().unwrap_or(f64::NAN)
}

/// Runs two programs alternately, `runs` times each, after some warm-up runs. `output_bytes` is the
/// length of their output. It goes to a pipe with enough capacity, which is emptied between the
/// runs, so that no program waits for a reader.
///
/// # Errors
/// A program fails.
pub fn alternate(programs: [&Path; 2], output_bytes: usize, runs: usize) -> Result<[Timings; 2]> {
    let (mut reader, writer) = pipe_with_capacity(2 * output_bytes)?;
    let mut timings = [Timings::default(), Timings::default()];
    let warm_up = runs.div_ceil(20);
    for run in 0..warm_up + runs {
        for (timings, program) in timings.iter_mut().zip(programs) {
            let context = || format!("{} failed in run {}.", program.display(), run + 1);
            let sample = measure(program, &writer).with_context(context)?;
            empty(&mut reader).with_context(context)?;
            if run >= warm_up {
                timings.add(&sample);
            }
        }
    }
    timings.iter_mut().for_each(Timings::sort);
    Ok(timings)
}

/// A pipe with a non-blocking reader.
fn pipe_with_capacity(bytes: usize) -> Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe()?;
    let capacity = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(bytes.max(1) as i32))
        .context("No pipe can hold the report")?;
    if (capacity as usize) < bytes {
        bail!("No pipe can hold the report.");
    }
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

fn empty(reader: &mut PipeReader) -> Result<()> {
    match reader.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => bail!("The pipe has no writer."),
    }
}

fn measure(program: &Path, stdout: &PipeWriter) -> Result<Sample> {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?);
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let status = command.spawn()?.wait()?;
    let wall_us = start.elapsed().as_secs_f64() * 1e6;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    if !status.success() {
        bail!("{status}");
    }
    let user = after.user_time() - before.user_time();
    let system = after.system_time() - before.system_time();
    let page_faults = after.minor_page_faults() - before.minor_page_faults();
    Ok(Sample {
        wall_us,
        cpu_us: (user + system).num_microseconds() as f64,
        page_faults: page_faults as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn quantiles_of_a_sorted_list() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 9.0];
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| quantile(&sorted, share)), sorted);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn both_programs_run_and_the_pipe_is_emptied() {
        let pwd = Path::new("/bin/pwd");
        let quiet = Path::new("/bin/true");
        let failing = Path::new("/bin/false");
        let [first, second] = alternate([pwd, quiet], 64, 3).unwrap();
        assert_eq!((first.wall_us.len(), second.page_faults.len()), (3, 3));
        assert!(alternate([quiet, failing], 64, 1).is_err());
        let (mut reader, mut writer) = pipe_with_capacity(64).unwrap();
        writer.write_all(b"remaining").unwrap();
        empty(&mut reader).unwrap();
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
