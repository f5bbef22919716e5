//! One run, followed with ptrace(2): every system call with its outcome, and what is in memory when it ends. Such a run is slow,
//! so it is never a measured one.

use crate::memory::{self, Memory};
use anyhow::{Context, Result, bail};
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A system call as it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its number.
    pub number: u64,
    /// The error, or 0.
    pub errno: i64,
}

/// What a run did and was.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its system calls, from the first one of its own to the one it ended with.
    pub calls: Vec<Made>,
    /// When it ended.
    pub memory: Memory,
}

/// Runs a program without arguments, and without an open file but the three that every program has.
///
/// # Errors
/// A sentence when it cannot be followed to its end.
pub fn run(program: &Path) -> Result<Run> {
    // A process can only be seized once it is there; a shell that waits for a line is, before the program begins.
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
    ptrace::seize(process, options)
        .context("A process of this user cannot be followed with ptrace(2) here")?;
    stdin.write_all(b"\n")?;
    drop(stdin);
    follow(process).with_context(|| format!("{} cannot be followed", program.display()))
}

fn follow(process: Pid) -> Result<Run> {
    let (mut calls, mut memory) = (Vec::new(), None);
    // Whether it is in a system call.
    let mut inside = true;
    loop {
        match waitpid(process, None)? {
            // The shell, or the program: it begins in execve(2).
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => {
                calls.clear();
                inside = true;
            }
            WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXIT) => {
                calls.push(Made { errno: 0, ..made(process)? });
                memory = Some(memory::of(process)?);
            }
            WaitStatus::PtraceSyscall(_) => {
                if inside {
                    calls.push(made(process)?);
                }
                inside = !inside;
            }
            WaitStatus::Stopped(_, signal) => {
                ptrace::syscall(process, signal)?;
                continue;
            }
            WaitStatus::Exited(_, 0) => break,
            end @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => {
                bail!("It ended otherwise than expected: {end:?}.")
            }
            _ => {}
        }
        ptrace::syscall(process, None)?;
    }
    // The first is the execve(2) that the shell made.
    calls.drain(..calls.len().min(1));
    Ok(Run { calls, memory: memory.context("It ended without a stop.")? })
}

/// The call that ended or is not going to: `orig_rax` is its number, `rax` its answer (`arch/x86/entry/calling.h`).
#[cfg(target_arch = "x86_64")]
fn made(process: Pid) -> Result<Made> {
    let registers = ptrace::getregs(process)?;
    let answer = registers.rax as i64;
    Ok(Made {
        number: registers.orig_rax,
        errno: if (-4095..0).contains(&answer) { -answer } else { 0 },
    })
}

/// What is measured is a program for x86-64.
#[cfg(not(target_arch = "x86_64"))]
fn made(_: Pid) -> Result<Made> {
    bail!("This machine is not an x86_64, whose system calls are measured.")
}

/// Compares the calls of a floor with those of the program it was made for: how many the program made before and behind them.
///
/// # Errors
/// A sentence about the first call that differs.
pub fn compare(program: &[Made], floor: &[Made]) -> Result<(usize, usize)> {
    // Without the call that ends both.
    let same = floor.split_last().context("The floor made no call.")?.1;
    let program = program.split_last().context("The program made no call.")?.1;
    let alike = |from: usize| {
        program[from..].iter().zip(same).take_while(|(one, other)| one == other).count()
    };
    let places = 0..(program.len() + 1).saturating_sub(same.len());
    let Some((from, agreed)) =
        places.map(|from| (from, alike(from))).max_by_key(|&(_, agreed)| agreed)
    else {
        bail!(
            "The program made {} system calls, fewer than the {} of its recording.",
            program.len(),
            same.len()
        );
    };
    if agreed < same.len() {
        bail!(
            "Call {} of the floor is not that of the program: {:?}, {:?}.",
            agreed + 1,
            same[agreed],
            program[from + agreed]
        );
    }
    Ok((from, program.len() - from - agreed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(numbers: &[u64]) -> Vec<Made> {
        numbers.iter().map(|&number| Made { number, errno: 0 }).collect()
    }

    #[test]
    fn the_floor_is_a_piece_of_the_program() {
        assert_eq!(compare(&made(&[39, 13, 9, 11, 1, 231]), &made(&[9, 11, 231])).unwrap(), (2, 1));
        let refusal =
            compare(&made(&[39, 9, 10, 1, 231]), &made(&[9, 11, 231])).unwrap_err().to_string();
        assert!(refusal.contains("Call 2"), "{refusal}");
        assert!(compare(&made(&[9, 231]), &made(&[9, 11, 231])).is_err());
        let failed = vec![Made { number: 9, errno: 22 }, Made { number: 231, errno: 0 }];
        assert!(compare(&made(&[9, 231]), &failed).is_err());
    }

    #[test]
    fn a_run_is_followed_to_its_end() {
        let run = run(Path::new("/bin/true")).unwrap();
        assert_eq!(run.calls.last().unwrap().number, libc::SYS_exit_group as u64);
        assert!(
            run.memory.rss > 0
                && run.memory.parts.iter().any(|(name, _)| name.ends_with("[stack]"))
        );
    }
}
