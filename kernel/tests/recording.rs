//! The recorder and the replay.

use kernel::recording::{FIRST_LINE, Mismatch, Recorder, Replay, take_line};
use kernel::{ARGS, Call, Errno, Fd, Kernel, MAX_ERRNO, Op, SysResult, UTS_FIELD};

/// A kernel whose every call has the same result and fills in the same bytes.
struct Constant {
    result: SysResult,
    filled: Vec<u8>,
}

impl Constant {
    fn new(result: SysResult, filled: &[u8]) -> Constant {
        Constant { result, filled: filled.to_vec() }
    }
}

impl Kernel for Constant {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let len = self.filled.len().min(call.output.len());
        call.output[..len].copy_from_slice(&self.filled[..len]);
        self.result
    }
}

/// A call with its result and the bytes that it filled in.
#[derive(Clone, Debug, PartialEq)]
struct Event {
    op: Op,
    args: [usize; ARGS],
    input: Vec<u8>,
    output: Vec<u8>,
    result: SysResult,
}

impl Event {
    fn new(op: Op, args: [usize; ARGS], input: &[u8], output: &[u8], result: SysResult) -> Event {
        Event { op, args, input: input.to_vec(), output: output.to_vec(), result }
    }

    /// Makes the call on a kernel.
    fn call(&self, kernel: &mut dyn Kernel) -> Event {
        let mut output = vec![0xee; self.output.len()];
        let mut call =
            Call { op: self.op, args: self.args, input: &self.input, output: &mut output };
        let result = kernel.call(&mut call);
        Event { output, result, ..self.clone() }
    }
}

fn record(events: &[Event]) -> String {
    let mut recording = String::new();
    for event in events {
        let mut kernel = Constant::new(event.result, &event.output);
        let mut recorder = Recorder::new(&mut kernel, String::new());
        assert_eq!(event.call(&mut recorder), *event);
        let text = recorder.finish();
        recording.push_str(text.strip_suffix("end 1\n").expect("the last line"));
    }
    format!("{recording}end {}\n", events.len())
}

#[track_caller]
fn assert_replays(events: &[Event]) {
    let recording = record(events);
    let mut replay = Replay::new(recording.as_bytes(), 0);
    for event in events {
        assert_eq!(event.call(&mut replay), *event, "{recording}");
    }
    assert_eq!(replay.finish(), Ok(()), "{recording}");
}

/// The line of a recording with a single call.
fn line(event: &Event) -> String {
    let recording = record(std::slice::from_ref(event));
    recording.lines().next().expect("a line").to_string()
}

#[test]
fn every_operation_replays() {
    let events = Op::ALL.iter().map(|&op| {
        let output: &[u8] = if op == Op::Uname { b"" } else { b"out%put\xff\0\x01" };
        let args = [1, 0, usize::MAX, 0x7f3a_5c00_1000, 0];
        Event::new(op, args, b"tmpfs\0/mnt\0", output, SysResult::success(7))
    });
    assert_replays(&events.collect::<Vec<Event>>());
}

#[test]
fn every_result_replays() {
    let values = [0, 1, 9, 10, 0xabc_def0, usize::MAX / 2, usize::MAX - MAX_ERRNO as usize];
    let errors = [1, 9, 10, 95, 524, MAX_ERRNO].map(|number| SysResult::failure(Errno(number)));
    let results = values.map(SysResult::success).into_iter().chain(errors);
    let events = results.map(|result| Event::new(Op::Mmap, [0; ARGS], b"", b"", result));
    assert_replays(&events.collect::<Vec<Event>>());
}

#[test]
fn every_byte_replays() {
    let bytes: Vec<u8> = (0..=u8::MAX).rev().collect();
    let read = Event::new(Op::Read, [3, 0, 0, 0, 0], b"", &bytes, SysResult::success(256));
    let write = Event::new(Op::Write, [3, 0, 0, 0, 0], &bytes, b"", SysResult::success(256));
    assert_replays(&[read.clone(), write.clone()]);
    for event in [read, write] {
        let line = line(&event);
        assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{line}");
    }
}

#[test]
fn lines_have_the_documented_form() {
    let mapped = SysResult::success(0x7f3a_5c00_0000);
    let args = [0, 0x80_0000, 0, 0x4022, usize::MAX];
    assert_eq!(
        line(&Event::new(Op::Mmap, args, b"", b"", mapped)),
        "mmap 0 800000 0 4022 ffffffffffffffff = 7f3a5c000000"
    );
    let failed = SysResult::failure(Errno::EOPNOTSUPP);
    assert_eq!(line(&Event::new(Op::Mmap, [1, 0, 3, 0, 0], b"", b"", failed)), "mmap 1 0 3 = -95");
    let filled = Event::new(Op::Mincore, [1, 2, 0, 0, 0], b"", b"\x01\0%\0", SysResult::success(0));
    assert_eq!(line(&filled), "mincore 1 2 = 0 > %01%00%25");
    let zeros = Event::new(Op::Mincore, [1, 2, 0, 0, 0], b"", b"\0\0", SysResult::success(0));
    assert_eq!(line(&zeros), "mincore 1 2 = 0 > ");
    let path = "/tmp/\u{e9} x\0".as_bytes();
    let open = Event::new(Op::Open, [0; ARGS], path, b"", SysResult::success(4));
    assert_eq!(line(&open), "open < /tmp/%c3%a9 x = 4");
    let empty = Event::new(Op::Open, [0; ARGS], b"\0", b"", failed);
    assert_eq!(line(&empty), "open <  = -95");
}

#[test]
fn a_recording_begins_with_its_head_and_ends_with_the_number_of_calls() {
    let mut kernel = Constant::new(SysResult::success(0x2a), b"");
    let mut recorder = Recorder::new(&mut kernel, String::from(FIRST_LINE));
    {
        let kernel: &mut dyn Kernel = &mut recorder;
        assert_eq!((kernel.pid(), kernel.time()), (0x2a, 0x2a));
    }
    assert_eq!(recorder.finish(), "mapprobe recording 2\ngetpid = 2a\ntime = 2a\nend 2\n");
}

#[test]
fn the_node_name_is_not_recorded() {
    let mut fields = vec![0; 6 * UTS_FIELD];
    for (field, name) in fields.chunks_mut(UTS_FIELD).zip(["Linux", "secret", "6.1", "#1", "ppc"]) {
        field[..name.len()].copy_from_slice(name.as_bytes());
    }
    let mut kernel = Constant::new(SysResult::success(0), &fields);
    let mut recorder = Recorder::new(&mut kernel, String::new());
    let recorded = (&mut recorder as &mut dyn Kernel).uname();
    assert_eq!((&*recorded.sysname, &*recorded.release), ("Linux", "6.1"));
    assert_eq!((&*recorded.version, &*recorded.machine), ("#1", "ppc"));
    let recording = recorder.finish();
    assert!(!recording.contains("secret"), "{recording}");
    let mut replay = Replay::new(recording.as_bytes(), 0);
    assert_eq!((&mut replay as &mut dyn Kernel).uname(), recorded);
    assert_eq!(replay.finish(), Ok(()));
}

#[test]
fn the_output_of_a_failed_call_is_not_recorded() {
    let failed = SysResult::failure(Errno::EAGAIN);
    let event = Event::new(Op::Read, [3, 0, 0, 0, 0], b"", b"old", failed);
    assert_eq!(line(&event), "read 3 = -11");
}

/// Reads descriptor 3 and closes it.
fn run(replay: &mut Replay) -> (SysResult, SysResult) {
    const FILE: Fd = 3;
    let kernel: &mut dyn Kernel = replay;
    (kernel.read(FILE, &mut [0; 4]), kernel.close(FILE))
}

#[track_caller]
fn assert_mismatch(recording: &str, line: usize, expected: &str) {
    let mut replay = Replay::new(recording.as_bytes(), 10);
    run(&mut replay);
    let mismatch = Mismatch { line: 10 + line, expected: expected.to_string() };
    assert_eq!(replay.finish(), Err(mismatch), "{recording:?}");
}

#[test]
fn a_recording_of_the_same_run_fits() {
    let mut replay = Replay::new(b"read 3 = 1 > x\nclose 3 = 0\nend 2\n", 10);
    assert_eq!(run(&mut replay), (SysResult::success(1), SysResult::success(0)));
    assert_eq!(replay.finish(), Ok(()));
}

#[test]
fn the_first_line_that_does_not_fit_is_reported() {
    assert_mismatch("read 4 = 1 > x\nclose 3 = 0\nend 2\n", 1, "read 3");
    assert_mismatch("read 33 = 1 > x\nclose 3 = 0\nend 2\n", 1, "read 3");
    assert_mismatch("read 3 = 1 > x\nread 3 = 0\nclose 3 = 0\nend 3\n", 2, "close 3");
    assert_mismatch("", 1, "read 3");
    assert_mismatch("read 3 = 1 > x\n", 2, "close 3");
    assert_mismatch("read 3 = 1 > x\nclose 3 = 0\n", 3, "end 2");
    assert_mismatch("read 3 = 1 > x\nclose 3 = 0\nend 3\n", 3, "end 2");
    assert_mismatch("read 3 = 1 > x\nclose 3 = 0\nend 2\nend 2\n", 4, "nothing");
}

#[test]
fn malformed_results_do_not_fit() {
    for result in [
        "",
        " ",
        " =",
        " = ",
        " = g",
        " = -",
        " = -x",
        " = -4096",
        " = -1 > x",
        " = 1 x",
        " = 1 >",
        " = 1 > %",
        " = 1 > %0",
        " = 1 > %0g",
        " = 1 > %0A",
        " = 1 > 5bytes",
        " = A",
        " 1",
        "= 1",
        " = 10000000000000000",
    ] {
        assert_mismatch(&format!("read 3{result}\nclose 3 = 0\nend 2\n"), 1, "read 3");
    }
}

/// The bytes of a call end where its result begins, so a shorter input must not fit a longer one.
#[test]
fn an_input_with_an_equals_sign_does_not_fit_its_beginning() {
    for input in [&b"m = 1"[..], b"m = 1 > x"] {
        let write = Event::new(Op::Write, [4, 0, 0, 0, 0], input, b"", SysResult::success(5));
        assert_replays(std::slice::from_ref(&write));
        let recording = record(&[write]);
        let mut replay = Replay::new(recording.as_bytes(), 0);
        let kernel: &mut dyn Kernel = &mut replay;
        assert_eq!(kernel.write(4, b"m").result(), Err(Errno::ENOSYS), "{recording}");
    }
}

#[test]
fn every_call_after_a_mismatch_fails() {
    let mut replay = Replay::new(b"close 4 = 0\nread 3 = 1 > x\nclose 3 = 0\nend 3\n", 0);
    let missing = SysResult::failure(Errno::ENOSYS);
    assert_eq!(run(&mut replay), (missing, missing));
}

#[test]
fn lines_are_taken_one_by_one() {
    let mut rest = &b"one\n\nthree"[..];
    let lines: Vec<&[u8]> = (0..4).map(|_| take_line(&mut rest)).collect();
    assert_eq!(lines, [&b"one"[..], b"", b"three", b""]);
}
