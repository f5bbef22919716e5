//! The program run from the command line, on a kernel that only takes output.

use kernel::{Call, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::output::{STDERR, STDOUT};

/// A kernel that fails the test at any call but those of every start and output.
#[derive(Default)]
struct OutputOnly {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Kernel for OutputOnly {
    fn call(&mut self, call: &mut Call) -> SysResult {
        match (call.op, call.args[0] as i32) {
            (Op::IgnoreSignals, _) => return SysResult::success(0),
            (Op::Write, STDOUT) => self.stdout.extend_from_slice(call.input),
            (Op::Write, STDERR) => self.stderr.extend_from_slice(call.input),
            (other, _) => panic!("unexpected call: {other:?}"),
        }
        SysResult::success(call.input.len())
    }
}

/// Exit code, standard output and standard error.
pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let mut kernel = OutputOnly::default();
    let exit = app::run(&mut kernel, &[&["mapprobe"], arguments].concat());
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (exit, text(kernel.stdout), text(kernel.stderr))
}

/// The arguments in a line.
pub fn split(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The output of a command that succeeds.
#[track_caller]
pub fn output(line: &str) -> String {
    let (exit, stdout, stderr) = run(&split(line));
    assert_eq!((exit, stderr.as_str()), (0, ""), "{line}");
    stdout
}

/// The command fails with this message and prints nothing else.
#[track_caller]
pub fn fails(arguments: &[&str], message: &str) {
    let expected = (2, String::new(), format!("mapprobe: {message}\n"));
    assert_eq!(run(arguments), expected, "{arguments:?}");
}

/// argh's message about an argument.
pub fn wrong_argument(name: &str, value: &str, problem: &str) -> String {
    format!("Error parsing positional argument '{name}' with value '{value}': {problem}")
}
