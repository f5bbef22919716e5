//! The program as PID 1 of a simulated machine on which everything fails that can fail. It prints
//! its report where output is possible, goes on to the next init or to power-off, never ends, and
//! never keeps the machine busy.

use kernel::{Call, Errno, Kernel, Op};
use machine::{BEGIN, Behavior, End, Machine, Sink};
use mapprobe::init;
use program::processes::{self, Caller};
use std::panic::resume_unwind;

mod machine;
mod program {
    pub mod processes;
}

/// What calls of PID 1 may fail with.
const ERRORS: [Errno; 16] = [
    Errno::EPERM,
    Errno::ENOENT,
    Errno::EINTR,
    Errno::EIO,
    Errno::ENXIO,
    Errno::EBADF,
    Errno::EAGAIN,
    Errno::ENOMEM,
    Errno::EACCES,
    Errno::EFAULT,
    Errno::EBUSY,
    Errno::ENODEV,
    Errno::EINVAL,
    Errno::ENOSPC,
    Errno::EROFS,
    Errno::ENOSYS,
];

/// A command that the program handles without a system call: what is left are the calls of PID 1.
const INIT: [&str; 2] = ["/init", "list"];
/// The same command of a program that replaces `/init`.
const REPLACEMENT: [&str; 2] = ["/mapprobe", "list"];

fn machine_with(sinks: [Behavior; 3]) -> Machine {
    Machine { sinks, ..Machine::new() }
}

#[test]
fn the_report_is_printed_where_a_sink_works() {
    use Behavior::*;
    let broken = [
        Fails(Errno::EIO),
        Fails(Errno::ENOSPC),
        Fails(Errno::EPIPE),
        AcceptsNothing,
        Blocks,
        Closed(Errno::ENODEV),
    ];
    for works in [Works, OneByte, Intermittent] {
        for first in broken {
            for second in broken {
                for (sinks, expected) in [
                    ([works, first, second], Sink::Stdout),
                    ([first, works, second], Sink::Console),
                    ([PlainFile, works, second], Sink::Console),
                    ([first, second, works], Sink::KernelLog),
                    ([PlainFile, second, works], Sink::KernelLog),
                ] {
                    let mut machine = machine_with(sinks);
                    assert_eq!(machine.boot(&INIT), End::PowerOff, "{sinks:?}");
                    let printed = &machine.printed;
                    assert_eq!(machine.whole_report(), Some(expected), "{sinks:?}: {printed:#?}");
                }
            }
        }
    }
}

#[test]
fn a_report_of_every_flag_reaches_each_sink() {
    use Behavior::*;
    let broken = Fails(Errno::EIO);
    for (sinks, expected) in [
        ([Works, broken, broken], Sink::Stdout),
        ([Closed(Errno::EBADF), Works, broken], Sink::Console),
        ([broken, broken, Works], Sink::KernelLog),
    ] {
        let mut machine = machine_with(sinks);
        assert_eq!(machine.boot(&["/init"]), End::PowerOff, "{sinks:?}");
        assert_eq!(machine.whole_report(), Some(expected), "{sinks:?}: {:#?}", machine.printed);
        assert!(machine.printed[&expected].contains("mapprobe.report"), "{sinks:?}");
    }
}

#[test]
fn a_machine_without_a_working_sink_is_switched_off() {
    for behavior in [
        Behavior::Fails(Errno::EIO),
        Behavior::AcceptsNothing,
        Behavior::Blocks,
        Behavior::Closed(Errno::ENOENT),
    ] {
        for arguments in [&INIT[..], &["/init"]] {
            let mut machine = machine_with([behavior; 3]);
            assert_eq!(machine.boot(arguments), End::PowerOff, "{behavior:?} {arguments:?}");
            assert_eq!(machine.whole_report(), None, "{behavior:?} {arguments:?}");
        }
    }
}

/// No file that is opened later becomes standard input, output or error.
#[test]
fn the_console_replaces_closed_standard_files() {
    for (stdout, least) in [(Behavior::Closed(Errno::EBADF), 3), (Behavior::Works, 1)] {
        let mut machine = machine_with([stdout, Behavior::Works, Behavior::Works]);
        assert_eq!(machine.boot(&INIT), End::PowerOff);
        let opened = machine.log.iter().filter(|&&op| op == Op::Mknod).count();
        assert!(opened >= least, "{stdout:?}: {opened}");
    }
}

#[test]
fn file_systems_that_were_mounted_before_stay_mounted() {
    for (failing, expected) in [(vec![(Op::Mount, Errno::EBUSY)], 0), (Vec::new(), 3)] {
        let mut machine = Machine { failing, ..Machine::new() };
        assert_eq!(machine.boot(&INIT), End::PowerOff);
        let unmounted = machine.log.iter().filter(|&&op| op == Op::Umount).count();
        assert_eq!(unmounted, expected);
    }
}

/// A sink that fails in the middle: the next one prints the whole report.
#[test]
fn the_next_sink_follows_one_that_fails_in_the_middle() {
    for calls in [0, 1, 3, 7] {
        let (stdout, console) = (Behavior::FailsAfter(calls), Behavior::FailsAfter(calls + 2));
        let mut machine = machine_with([stdout, console, Behavior::Works]);
        assert_eq!(machine.boot(&INIT), End::PowerOff, "{calls}");
        assert_eq!(machine.whole_report(), Some(Sink::KernelLog), "{calls}");
    }
}

/// Each call of PID 1 fails once, with each error: the report is whole, and nothing is left behind.
#[test]
fn any_call_may_fail() {
    use Behavior::{Closed, Works};
    for sinks in [
        [Works; 3],
        [Closed(Errno::EBADF), Works, Works],
        [Closed(Errno::EBADF), Closed(Errno::ENODEV), Works],
    ] {
        for has_next_init in [true, false] {
            let machine = || Machine { sinks, has_next_init, ..Machine::new() };
            let mut runs = 0;
            for (call, op) in calls_that_can_fail(machine(), &REPLACEMENT) {
                for errno in ERRORS {
                    boot_with_fault(machine(), &REPLACEMENT, op, (call, errno));
                    runs += 1;
                }
            }
            assert!(runs > 500, "{runs}");
        }
    }
}

/// Each call of a boot that probes every flag fails once; the errors take turns.
#[test]
fn any_call_may_fail_while_flags_are_probed() {
    let arguments = ["/mapprobe"];
    let machine = || Machine { has_next_init: true, ..Machine::new() };
    let calls = calls_that_can_fail(machine(), &arguments);
    assert!(calls.len() > 1000, "{}", calls.len());
    for (index, (call, op)) in calls.into_iter().enumerate() {
        boot_with_fault(machine(), &arguments, op, (call, ERRORS[index % ERRORS.len()]));
    }
}

/// The calls of a boot without a fault, with their numbers.
fn calls_that_can_fail(mut machine: Machine, arguments: &[&str]) -> Vec<(usize, Op)> {
    let expected = if machine.has_next_init { End::NextInit } else { End::PowerOff };
    assert_eq!(machine.boot(arguments), expected);
    assert_eq!(machine.leftovers(), Vec::<String>::new());
    let cannot_fail = [Op::Pid, Op::Reboot, Op::Pause];
    let calls = machine.log.into_iter().enumerate();
    calls.filter(|(_, op)| !cannot_fail.contains(op)).collect()
}

fn boot_with_fault(machine: Machine, arguments: &[&str], op: Op, fault: (usize, Errno)) {
    let about = format!("{:?}, {op:?}, {fault:?}", machine.sinks);
    let usual_end = if machine.has_next_init { End::NextInit } else { End::PowerOff };
    let mut machine = Machine { fault: Some(fault), ..machine };
    let end = machine.boot(arguments);
    let starts_next_init = [Op::Execve, Op::FileDevice, Op::FileInode].contains(&op);
    let is_expected = end == usual_end || starts_next_init && end == End::PowerOff;
    assert!(is_expected, "{about}: {end:?}");
    let cleans_up = [Op::Close, Op::Umount, Op::Unlink, Op::Munmap].contains(&op);
    let leftovers = machine.leftovers();
    assert!(cleans_up || leftovers.is_empty(), "{about}: {leftovers:?}");
    // Without the last sink nothing is printed.
    let [_, console, _] = machine.sinks;
    let is_last_sink = console != Behavior::Works && [Op::Open, Op::Write].contains(&op);
    assert!(is_last_sink || machine.whole_report().is_some(), "{about}: {:?}", machine.printed);
}

/// All calls of one operation fail, always with the same error, in a boot that probes every flag.
#[test]
fn every_call_of_an_operation_may_fail() {
    for &op in Op::ALL {
        if [Op::Pid, Op::Exit].contains(&op) {
            continue;
        }
        for errno in ERRORS {
            let has_next_init = op == Op::Execve;
            let failing = vec![(op, errno)];
            let mut machine = Machine { has_next_init, failing, ..Machine::new() };
            let expected = if op == Op::Reboot { End::Waits } else { End::PowerOff };
            assert_eq!(machine.boot(&["/mapprobe"]), expected, "{op:?}: {errno:?}");
            let is_whole = machine.whole_report().is_some();
            assert!(op == Op::Write || is_whole, "{op:?}: {errno:?}");
        }
    }
}

/// Everything fails but one call that waits.
#[test]
fn everything_may_fail() {
    for waiting in [Op::Pause, Op::Sleep] {
        for errno in ERRORS {
            let works = [Op::Pid, Op::MayReboot, waiting];
            let failing = Op::ALL.iter().filter(|op| !works.contains(op));
            let failing = failing.map(|&op| (op, errno)).collect();
            let sinks = [Behavior::Closed(errno); 3];
            let mut machine = Machine { failing, sinks, ..Machine::new() };
            assert_eq!(machine.boot(&["/mapprobe"]), End::Waits, "{waiting:?} {errno:?}");
        }
    }
}

/// The init of a machine must not end, or the kernel panics, even if it may not switch the machine
/// off. In a container it just ends.
#[test]
fn an_init_that_may_not_reboot_is_recognized_by_its_namespace() {
    let failing = vec![(Op::MayReboot, Errno::EPERM), (Op::Reboot, Errno::EPERM)];
    let mut machine = Machine { failing: failing.clone(), ..Machine::new() };
    assert_eq!(machine.boot(&["/init"]), End::Waits);
    assert_eq!(machine.whole_report(), Some(Sink::Stdout));
    let mut container = Machine { failing, namespace: 4_026_532_000, ..Machine::new() };
    assert_eq!(container.boot(&["/init"]), End::Exited(0));
    assert_eq!(container.whole_report(), None);
}

/// On a machine that stays on, the kernel ends the process that switches it off: that must be a
/// child, if one can be made.
#[test]
fn a_child_switches_the_machine_off() {
    for (fork, expected) in
        [(Ok(0), End::PowerOff), (Ok(7), End::Waits), (Err(Errno::ENOMEM), End::PowerOff)]
    {
        let mut machine = Machine { fork, ..Machine::new() };
        assert_eq!(machine.boot(&INIT), expected, "{fork:?}");
        let is_switched_off = machine.log.contains(&Op::Reboot);
        assert_eq!(is_switched_off, expected == End::PowerOff, "{fork:?}");
        // Closing waits until a serial line has sent everything.
        let last = |op| machine.log.iter().rposition(|&logged| logged == op);
        assert!(!machine.has_standard_files(), "{fork:?}");
        assert!(last(Op::Close) < last(Op::Fork), "{fork:?}");
    }
}

/// An `/init` that executes the program must not be started again, or it would execute it again.
#[test]
fn the_next_init_is_started_only_if_the_kernel_was_told_to_start_the_program() {
    for (command_line, expected) in [
        (Some("quiet rdinit=/mapprobe"), End::NextInit),
        (Some("root=/dev/sda1 ro init=/mapprobe"), End::NextInit),
        (Some(""), End::PowerOff),
        (Some("initrd=/initrd.img quiet"), End::PowerOff),
        (None, End::NextInit),
    ] {
        let mut machine = Machine { command_line, has_next_init: true, ..Machine::new() };
        assert_eq!(machine.boot(&REPLACEMENT), expected, "{command_line:?}");
        assert!(machine.whole_report().is_some(), "{command_line:?}");
    }
}

/// An error message stands before the report, or behind it if the next init did not start.
#[test]
fn error_messages_go_where_the_report_goes() {
    use Behavior::{Closed, Fails, Works};
    for sinks in [
        [Works; 3],
        [Fails(Errno::EIO), Works, Works],
        [Closed(Errno::EBADF), Closed(Errno::ENODEV), Works],
    ] {
        let failing = vec![(Op::Execve, Errno::EACCES)];
        let mut machine = Machine { sinks, has_next_init: true, failing, ..Machine::new() };
        assert_eq!(machine.boot(&["/mapprobe", "--no-such-option"]), End::PowerOff);
        let sink = machine.whole_report().expect("a report");
        let printed = &machine.printed[&sink];
        let message = printed.find("mapprobe: unknown option --no-such-option;");
        let report = printed.find(BEGIN);
        assert!(message.expect("a message") < report.expect("a report"), "{printed}");
        assert!(printed.ends_with("mapprobe: could not start /init: EACCES\n"), "{printed}");
    }
}

/// The machine after a boot in which calls of PID 1's children end their process, as a crash inside
/// the kernel does.
fn boot_with_fatal_calls(machine: &dyn Fn() -> Machine, fatal: &[Op]) -> (End, Machine) {
    const SIGKILL: u8 = 9;
    let make = || {
        let mut machine = machine();
        machine.open_standard_files();
        machine
    };
    let share = |child: &Machine, parent: &mut Machine| {
        parent.printed.clone_from(&child.printed);
    };
    let kills = |caller: Caller, call: &Call| {
        (caller == Caller::Child && fatal.contains(&call.op)).then_some(SIGKILL)
    };
    let mut program = |kernel: &mut dyn Kernel| init::start(kernel, &["/mapprobe"]);
    let (code, machine) = processes::run(&make, share, &kills, &mut program);
    let end = code.map_or_else(
        |end| *end.downcast::<End>().unwrap_or_else(|panic| resume_unwind(panic)),
        |code| End::Exited(code as usize),
    );
    (end, machine)
}

/// A call of a child may be fatal. The init goes on, and the report names the call.
#[test]
fn any_call_of_a_child_may_be_fatal() {
    use Behavior::{Closed, Fails, Works};
    let machine = |sinks| Machine { sinks, has_next_init: true, ..Machine::new() };
    for sinks in [
        [Works; 3],
        [Closed(Errno::EBADF), Works, Works],
        // The first pipe has the descriptors of the standard files.
        [Closed(Errno::EBADF), Closed(Errno::ENODEV), Works],
        // SIGPIPE does not end an init, but its child.
        [Fails(Errno::EPIPE), Works, Works],
    ] {
        let machine = || machine(sinks);
        let (end, booted) = boot_with_fatal_calls(&machine, &[]);
        assert_eq!(end, End::NextInit, "{sinks:?}");
        let sink = booted.whole_report().expect("a report");
        assert!(!booted.printed[&sink].contains("killed by"), "{sinks:?}");
        for op in [
            Op::Mincore,
            Op::Madvise,
            Op::MsyncInvalidate,
            Op::MemfdCreate,
            Op::Mmap,
            Op::Munmap,
            Op::Pipe,
            Op::Close,
            Op::Read,
            Op::Pread,
            Op::Memory,
            Op::Time,
            Op::Uname,
            Op::FilterMode,
        ] {
            // Each line of the kernel's log takes a descriptor, and none is closed.
            if op == Op::Close && sinks[1] != Works {
                continue;
            }
            let (end, booted) = boot_with_fatal_calls(&machine, &[op]);
            assert_eq!(end, End::NextInit, "{op:?} {sinks:?}");
            assert_eq!(booted.leftovers(), Vec::<String>::new(), "{op:?} {sinks:?}");
            let sink = booted.whole_report().unwrap_or_else(|| panic!("{op:?} {sinks:?}"));
            let printed = &booted.printed[&sink];
            assert_eq!(printed.matches(BEGIN).count(), 1, "{op:?}: {printed}");
            assert!(printed.contains("(SIGKILL)"), "{op:?}: {printed}");
        }
    }
}

/// No child of PID 1 gets to its end: the init prints what it knows and goes on.
#[test]
fn pid_1_goes_on_without_children() {
    let machine = || Machine { has_next_init: true, ..Machine::new() };
    let (end, booted) = boot_with_fatal_calls(&machine, &[Op::Write]);
    assert_eq!(end, End::NextInit);
    let message = "mapprobe: ended by SIGKILL during an unknown call\n";
    let frame = "mapprobe: begin 1\nmapprobe: end lines=0 bytes=0 crc32=00000000 exit=2\n";
    assert_eq!(booted.printed[&Sink::Stdout], [message, frame].concat());
    let (end, booted) = boot_with_fatal_calls(&machine, &[Op::Exit]);
    assert_eq!(end, End::NextInit);
    assert_eq!(booted.whole_report(), Some(Sink::Stdout));
}
