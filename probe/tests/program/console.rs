//! The whole program on a simulated kernel, as it runs from a command line.

use kernel::{Call, Kernel, Op, SysResult};
use mapprobe::app;
use mapprobe::output::{STDERR, STDOUT};
use simulator::{Rules, SimulatedKernel};
use std::mem::take;

/// A simulated kernel that keeps standard output and standard error apart.
pub struct Console {
    pub simulated: SimulatedKernel,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Console {
    pub fn on(rules: Rules) -> Console {
        let simulated = SimulatedKernel::new(rules);
        Console { simulated, stdout: Vec::new(), stderr: Vec::new() }
    }

    /// Runs the program. Returns its exit code.
    pub fn run(&mut self, arguments: &[&str]) -> i32 {
        app::run(self, &[&["mapprobe"], arguments].concat())
    }

    /// Standard output and standard error since the last call of this method.
    pub fn take_output(&mut self) -> (String, String) {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (text(take(&mut self.stdout)), text(take(&mut self.stderr)))
    }
}

impl Kernel for Console {
    fn call(&mut self, call: &mut Call) -> SysResult {
        match (call.op, call.args[0] as i32) {
            (Op::Write, STDOUT) => self.stdout.extend_from_slice(call.input),
            (Op::Write, STDERR) => self.stderr.extend_from_slice(call.input),
            _ => {}
        }
        self.simulated.call(call)
    }
}
