//! Runs two programs by turns, many times, and notes what each run took.

use anyhow::{Context, Result, bail};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::io::{ErrorKind, PipeReader, PipeWriter, Read, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// What runs took, each sorted.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// From before the process is made until it is gone, in microseconds.
    pub wall: Vec<f64>,
    /// User and system time, in microseconds.
    pub processor: Vec<f64>,
    /// Page faults.
    pub faults: Vec<f64>,
}

/// The value a share of a sorted list lies below; 0.5 is the median.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len().saturating_sub(1) as f64 * share).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// Both programs by turns, `runs` times each and some more at the beginning that do not count. What they print, about `printed`
/// bytes, goes to a pipe that has room for twice as much and is emptied between the runs: printing costs what it costs, waiting for
/// a reader does not.
///
/// # Errors
/// A sentence when a program fails.
pub fn by_turns(programs: [&Path; 2], printed: usize, runs: usize) -> Result<[Taken; 2]> {
    let (mut reader, writer) = room(2 * printed)?;
    let mut taken = [Taken::default(), Taken::default()];
    let warmup = runs.div_ceil(20);
    for at in 0..warmup + runs {
        for (taken, program) in taken.iter_mut().zip(programs) {
            let failed = || format!("{} failed in run {}.", program.display(), at + 1);
            let [wall, processor, faults] = once(program, &writer).with_context(failed)?;
            empty(&mut reader).with_context(failed)?;
            if at >= warmup {
                taken.wall.push(wall);
                taken.processor.push(processor);
                taken.faults.push(faults);
            }
        }
    }
    for taken in &mut taken {
        for values in [&mut taken.wall, &mut taken.processor, &mut taken.faults] {
            values.sort_by(f64::total_cmp);
        }
    }
    Ok(taken)
}

/// A pipe with room for so many bytes; its reader does not wait for any.
fn room(bytes: usize) -> Result<(PipeReader, PipeWriter)> {
    let (reader, writer) = pipe()?;
    let got = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(bytes.max(1) as i32))
        .context("No pipe has room for the report")?;
    if (got as usize) < bytes {
        bail!("No pipe has room for the report.");
    }
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, writer))
}

/// Takes out what is in the pipe.
fn empty(reader: &mut PipeReader) -> Result<()> {
    match reader.read_to_end(&mut Vec::new()) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => bail!("Nobody writes to the pipe."),
    }
}

fn once(program: &Path, stdout: &PipeWriter) -> Result<[f64; 3]> {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(stdout.try_clone()?);
    let before = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let start = Instant::now();
    let status = command.spawn()?.wait()?;
    let wall = start.elapsed().as_secs_f64() * 1e6;
    let after = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    if !status.success() {
        bail!("It ended with {status}.");
    }
    let user = after.user_time() - before.user_time();
    let system = after.system_time() - before.system_time();
    let faults = after.minor_page_faults() - before.minor_page_faults();
    Ok([wall, (user + system).num_microseconds() as f64, faults as f64])
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
    fn both_are_run_and_what_they_print_is_taken_away() {
        let (pwd, quiet, failing) =
            (Path::new("/bin/pwd"), Path::new("/bin/true"), Path::new("/bin/false"));
        let [one, other] = by_turns([pwd, quiet], 64, 3).unwrap();
        assert_eq!((one.wall.len(), other.faults.len()), (3, 3));
        assert!(by_turns([quiet, failing], 64, 1).is_err());
        let (mut reader, mut writer) = room(64).unwrap();
        writer.write_all(b"left over").unwrap();
        empty(&mut reader).unwrap();
        assert_eq!(reader.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
