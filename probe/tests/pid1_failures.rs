//! The program as PID 1 of a machine made of rules on which everything fails that can: it is heard where somebody listens, goes on to the
//! next init or to power-off, never ends, and never keeps the machine busy.

use guest::{End, Guest, Heard, TEXT, Way};
use mapprobe::errno::Errno;
use mapprobe::kernel::{Answer, Op};

mod guest;

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

/// Where the report is heard, whatever the three ways do with it.
#[test]
fn the_report_is_heard_where_somebody_listens() {
    use Way::*;
    let dead = [
        Fails(Errno::EIO),
        Fails(Errno::ENOSPC),
        Fails(Errno::EPIPE),
        Nothing,
        Later,
        Closed(Errno::ENODEV),
    ];
    let good = [Takes, Byte, NowAndThen];
    for alive in good {
        for first in dead {
            for second in dead {
                for (ways, expected) in [
                    ([alive, first, second], Heard::Stdout),
                    ([first, alive, second], Heard::Console),
                    ([PlainFile, alive, second], Heard::Console),
                    ([first, second, alive], Heard::Log),
                    ([PlainFile, second, alive], Heard::Log),
                ] {
                    let mut guest = Guest { ways, ..Guest::new() };
                    assert_eq!(guest.start(&["/init"]), End::Off, "{ways:?}");
                    // Where standard output is closed, the console becomes that.
                    let console = matches!((ways[0], expected), (Closed(_), Heard::Console));
                    let expected = if console { Heard::Console } else { expected };
                    assert_eq!(guest.whole(), Some(expected), "{ways:?}: {:#?}", guest.heard);
                }
            }
        }
    }
}

#[test]
fn where_nobody_listens_the_machine_is_switched_off() {
    for way in [Way::Fails(Errno::EIO), Way::Nothing, Way::Later, Way::Closed(Errno::ENOENT)] {
        let mut guest = Guest { ways: [way; 3], ..Guest::new() };
        assert_eq!((guest.start(&["/init"]), guest.whole()), (End::Off, None), "{way:?}");
    }
}

/// Nothing that is opened later becomes standard input, output or error.
#[test]
fn what_is_closed_becomes_the_console() {
    for (first, opened) in [(Way::Closed(Errno::EBADF), 3), (Way::Takes, 1)] {
        let mut guest = Guest { ways: [first, Way::Takes, Way::Takes], ..Guest::new() };
        assert_eq!(guest.start(&["/init"]), End::Off);
        let consoles = guest.log.iter().filter(|&&op| op == Op::Mknod).count();
        assert!(consoles >= opened, "{first:?}: {consoles}");
    }
}

/// What somebody else mounted stays.
#[test]
fn what_was_mounted_before_stays() {
    for (refused, undone) in [(vec![(Op::Mount, Errno::EBUSY)], 0), (Vec::new(), 3)] {
        let mut guest = Guest { refused, ..Guest::new() };
        assert_eq!(guest.start(&["/init"]), End::Off);
        assert_eq!(guest.log.iter().filter(|&&op| op == Op::Umount).count(), undone);
    }
}

/// A console that fails in the middle: all of the report comes another way, and no line is kept back.
#[test]
fn a_way_that_fails_in_the_middle_is_left_for_the_next() {
    for after in [0, 1, 3, 7] {
        let ways = [Way::Dies(after), Way::Dies(after + 2), Way::Takes];
        let mut guest = Guest { ways, ..Guest::new() };
        assert_eq!(
            (guest.start(&["/init"]), guest.whole()),
            (End::Off, Some(Heard::Log)),
            "{after}"
        );
    }
}

/// Each call of the whole run fails once, in every way: the report still comes whole, and what was there is there afterwards.
#[test]
fn any_call_may_fail() {
    for ways in [
        [Way::Takes; 3],
        [Way::Closed(Errno::EBADF), Way::Takes, Way::Takes],
        [Way::Closed(Errno::EBADF), Way::Closed(Errno::ENODEV), Way::Takes],
    ] {
        for next in [true, false] {
            let new = || Guest { ways, next, ..Guest::new() };
            let mut plain = new();
            let usual = plain.start(&["/mapprobe"]);
            assert_eq!(usual, if next { End::Next } else { End::Off });
            assert_eq!(plain.left(), Vec::<String>::new());
            let mut runs = 0;
            for (at, &op) in plain.log.iter().enumerate() {
                for errno in ERRORS {
                    // Neither can fail, and where the last way fails nothing is heard.
                    if [Op::Pid, Op::Reboot, Op::Pause].contains(&op) {
                        continue;
                    }
                    let mut guest = Guest { fault: Some((at, Answer::failed(errno))), ..new() };
                    let end = guest.start(&["/mapprobe"]);
                    let about = format!("{ways:?}, call {at}, {op:?}: {errno:?}");
                    let undone = [Op::Close, Op::Umount, Op::Unlink].contains(&op);
                    assert!(
                        end == usual
                            || op == Op::Execve && end == End::Off
                            || [Op::FileDevice, Op::FileInode].contains(&op) && end == End::Off,
                        "{about}: {end:?}"
                    );
                    assert!(undone || guest.left().is_empty(), "{about}: {:?}", guest.left());
                    let last = ways[1] != Way::Takes && [Op::Open, Op::Write].contains(&op);
                    assert!(last || guest.whole().is_some(), "{about}: {:?}", guest.heard);
                    runs += 1;
                }
            }
            assert!(runs > 500, "{runs}");
        }
    }
}

/// All calls of a kind fail, always in the same way.
#[test]
fn all_calls_of_a_kind_may_fail() {
    for &op in Op::ALL {
        for errno in ERRORS {
            if [Op::Pid, Op::Exit].contains(&op) {
                continue;
            }
            let mut guest =
                Guest { next: op == Op::Execve, refused: vec![(op, errno)], ..Guest::new() };
            let end = guest.start(&["/mapprobe"]);
            let expected = if op == Op::Reboot { End::Rests } else { End::Off };
            assert_eq!(end, expected, "{op:?}: {errno:?}");
            assert!(op == Op::Write || guest.whole().is_some(), "{op:?}: {errno:?}");
        }
    }
}

/// Nothing works but to be told so: it rests all the same.
#[test]
fn everything_may_fail() {
    for sleep in [Op::Pause, Op::Sleep] {
        for errno in ERRORS {
            let works = [Op::Pid, Op::MayReboot, sleep];
            let refused =
                Op::ALL.iter().filter(|op| !works.contains(op)).map(|&op| (op, errno)).collect();
            let mut guest = Guest { refused, ways: [Way::Closed(errno); 3], ..Guest::new() };
            assert_eq!(guest.start(&["/mapprobe"]), End::Rests, "{sleep:?} {errno:?}");
        }
    }
}

/// Who may not switch the machine off stays its init: the kernel would panic if it ended. In a container it just ends.
#[test]
fn an_init_without_rights_is_one() {
    let refused = vec![(Op::MayReboot, Errno::EPERM), (Op::Reboot, Errno::EPERM)];
    let mut guest = Guest { refused: refused.clone(), ..Guest::new() };
    assert_eq!((guest.start(&["/init"]), guest.whole()), (End::Rests, Some(Heard::Stdout)));
    let mut guest = Guest { refused, namespace: 4_026_532_000, ..Guest::new() };
    assert_eq!((guest.start(&["/init"]), guest.whole()), (End::Exited(0), None));
}

/// The kernel ends whoever switches off a machine that stays on: that is a child, if there can be one.
#[test]
fn a_machine_that_stays_on_loses_a_child() {
    for (child, expected) in
        [(Ok(0), End::Off), (Ok(7), End::Rests), (Err(Errno::ENOMEM), End::Off)]
    {
        let mut guest = Guest { child, ..Guest::new() };
        assert_eq!(guest.start(&["/init"]), expected, "{child:?}");
        assert_eq!(guest.log.contains(&Op::Reboot), expected == End::Off, "{child:?}");
        let position = |op| guest.log.iter().rposition(|&done| done == op);
        assert!(
            !guest.is_open() && position(Op::Close) < position(Op::Fork),
            "what a line has still to send is lost"
        );
    }
}

/// An `/init` that becomes the program is not started again, or it would become the program again.
#[test]
fn only_an_init_that_was_replaced_is_started() {
    for (command_line, expected) in [
        (Some("quiet rdinit=/mapprobe"), End::Next),
        (Some("root=/dev/sda1 ro init=/mapprobe"), End::Next),
        (Some(""), End::Off),
        (Some("initrd=/initrd.img quiet"), End::Off),
        (None, End::Next),
    ] {
        let mut guest = Guest { command_line, next: true, ..Guest::new() };
        assert_eq!(guest.start(&["/mapprobe"]), expected, "{command_line:?}");
        assert!(guest.whole().is_some());
    }
}

/// What is wrong is said where the report is, in front of it or after the next init did not start.
#[test]
fn complaints_go_where_the_report_goes() {
    for ways in [
        [Way::Takes; 3],
        [Way::Fails(Errno::EIO), Way::Takes, Way::Takes],
        [Way::Closed(Errno::EBADF), Way::Closed(Errno::ENODEV), Way::Takes],
    ] {
        let mut guest =
            Guest { ways, next: true, refused: vec![(Op::Execve, Errno::EACCES)], ..Guest::new() };
        assert_eq!(guest.start(&["/mapprobe", "--no-such-option"]), End::Off);
        let heard = guest.heard[&guest.whole().expect("a report")].clone();
        let wrong =
            heard.find("mapprobe: --no-such-option: no such option").expect("what was wrong");
        assert!(wrong < heard.find(TEXT).expect("a report"), "{heard}");
        assert!(heard.ends_with("mapprobe: could not start /init: EACCES\n"), "{heard}");
    }
}
