//! Traces a run with ptrace(2): its system calls, their errors, and the memory at exit. Tracing
//! slows a run down, so traced runs are not timed.

use crate::memory::{self, Memory};
use anyhow::{Context, Result, bail};
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A traced system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedCall {
    pub number: u64,
    /// The number of the error, if the call failed.
    pub error: Option<i64>,
}

/// A traced run.
#[derive(Clone, Debug)]
pub struct Trace {
    /// From the first call after execve(2) to the call that ended the process.
    pub calls: Vec<TracedCall>,
    /// At exit.
    pub memory: Memory,
}

/// Runs a program without arguments and traces it.
///
/// # Errors
/// The program cannot be traced, or it fails.
pub fn run(program: &Path) -> Result<Trace> {
    // PTRACE_SEIZE needs a running process. The shell waits for a line, and starts the program when
    // the tracer is attached.
    let mut shell = Command::new("sh")
        .args(["-c", "read go; exec \"$0\""])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("sh cannot be started")?;
    let process = Pid::from_raw(shell.id() as i32);
    let mut stdin = shell.stdin.take().context("sh has no standard input.")?;
    let options = Options::PTRACE_O_EXITKILL
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACEEXIT
        | Options::PTRACE_O_TRACESYSGOOD;
    ptrace::seize(process, options).context("ptrace(2) is not permitted here")?;
    stdin.write_all(b"\n")?;
    drop(stdin);
    follow(process).with_context(|| format!("{} cannot be traced", program.display()))
}

fn follow(process: Pid) -> Result<Trace> {
    let (mut calls, mut memory) = (Vec::new(), None);
    // The first stop of the shell is inside read(2).
    let mut inside_call = true;
    loop {
        match waitpid(process, None)? {
            // The kernel reports the exec event inside execve(2). The calls so far are the shell's.
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => {
                calls.clear();
                inside_call = true;
            }
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXIT) => {
                calls.push(TracedCall { error: None, ..current_call(process)? });
                memory = Some(memory::of(process)?);
            }
            WaitStatus::PtraceSyscall(_) => {
                if inside_call {
                    calls.push(current_call(process)?);
                }
                inside_call = !inside_call;
            }
            WaitStatus::Stopped(_, signal) => {
                ptrace::syscall(process, signal)?;
                continue;
            }
            WaitStatus::Exited(_, 0) => break,
            status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => {
                bail!("The program failed: {status:?}.")
            }
            _ => {}
        }
        ptrace::syscall(process, None)?;
    }
    // The first call is the execve(2) that started the program.
    calls.drain(..calls.len().min(1));
    Ok(Trace { calls, memory: memory.context("The process ended without an exit event.")? })
}

/// The call at a system call stop: `orig_rax` is the number, `rax` the result
/// (`arch/x86/entry/calling.h`).
#[cfg(target_arch = "x86_64")]
fn current_call(process: Pid) -> Result<TracedCall> {
    let registers = ptrace::getregs(process)?;
    let result = registers.rax as i64;
    let error = (-4095..0).contains(&result).then_some(-result);
    Ok(TracedCall { number: registers.orig_rax, error })
}

#[cfg(not(target_arch = "x86_64"))]
fn current_call(_: Pid) -> Result<TracedCall> {
    bail!("Only x86_64 programs can be measured.")
}

/// How many system calls the program makes in addition to those of the baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Additional {
    pub before: usize,
    pub after: usize,
}

/// Checks that the calls of the baseline are a contiguous part of the program's calls. The calls
/// that end the processes do not count.
///
/// # Errors
/// A call differs; the first one is named.
pub fn compare(program: &[TracedCall], baseline: &[TracedCall]) -> Result<Additional> {
    let (_, program) = program.split_last().context("The program made no call.")?;
    let (_, baseline) = baseline.split_last().context("The baseline made no call.")?;
    let agreeing =
        |start: usize| program[start..].iter().zip(baseline).take_while(|(a, b)| a == b).count();
    let starts = 0..(program.len() + 1).saturating_sub(baseline.len());
    let best = starts.map(|start| (start, agreeing(start))).max_by_key(|&(_, count)| count);
    let Some((start, count)) = best else {
        bail!(
            "The program made {} system calls, fewer than the {} of the recording.",
            program.len(),
            baseline.len()
        );
    };
    if count < baseline.len() {
        bail!(
            "Call {} differs: {:?} in the baseline, {:?} in the program.",
            count + 1,
            baseline[count],
            program[start + count]
        );
    }
    Ok(Additional { before: start, after: program.len() - start - count })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn successful(numbers: &[u64]) -> Vec<TracedCall> {
        numbers.iter().map(|&number| TracedCall { number, error: None }).collect()
    }

    #[test]
    fn the_baseline_is_a_part_of_the_program() {
        assert_eq!(
            compare(&successful(&[39, 13, 9, 11, 1, 231]), &successful(&[9, 11, 231])).unwrap(),
            Additional { before: 2, after: 1 }
        );
        let error = compare(&successful(&[39, 9, 10, 1, 231]), &successful(&[9, 11, 231]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("Call 2"), "{error}");
        assert!(compare(&successful(&[9, 231]), &successful(&[9, 11, 231])).is_err());
        let failed =
            [TracedCall { number: 9, error: Some(22) }, TracedCall { number: 231, error: None }];
        assert!(compare(&successful(&[9, 231]), &failed).is_err());
    }

    #[test]
    fn a_run_is_traced_to_its_exit() {
        let trace = run(Path::new("/bin/true")).unwrap();
        assert_eq!(trace.calls.last().unwrap().number, libc::SYS_exit_group as u64);
        assert!(trace.memory.rss_kb > 0);
        assert!(trace.memory.mappings.iter().any(|mapping| mapping.name.ends_with("[stack]")));
    }
}
