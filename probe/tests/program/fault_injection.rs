//! Fault injection: one call of a run returns a wrong result, and the simulated kernel does nothing
//! for it.

use super::findings::{Findings, probe};
use super::panics::catch_panic;
use kernel::{Call, Errno, Kernel, Op, SysResult};
use mapprobe::error::Error;
use simulator::{Fault, Rules, SimulatedKernel};

/// A wrong result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FalseResult {
    /// An error.
    Failure(Errno),
    /// Success with this value, which is an address for `mmap`.
    Success(usize),
    /// Success of `mmap` at the address in the call.
    RequestedAddress,
}

/// A call: its operation and its first two integers, which are an address and a length, or a
/// descriptor.
#[derive(Clone, Copy, Debug)]
pub struct LoggedCall {
    pub op: Op,
    pub args: [usize; 2],
}

/// A run on a kernel that returns true results.
pub struct TrueRun {
    pub findings: Findings,
    pub calls: Vec<LoggedCall>,
}

/// A run with one wrong result.
pub struct FaultyRun {
    pub findings: Result<Findings, Error>,
    /// Mappings, descriptors and files that the run did not remove.
    pub leftovers: Vec<String>,
}

/// A kernel that logs every call.
struct Logger {
    simulated: SimulatedKernel,
    calls: Vec<LoggedCall>,
}

impl Kernel for Logger {
    fn call(&mut self, call: &mut Call) -> SysResult {
        let [first, second, ..] = call.args;
        self.calls.push(LoggedCall { op: call.op, args: [first, second] });
        self.simulated.call(call)
    }
}

/// What is probed, on which kernel.
#[derive(Clone, Debug)]
pub struct Setup {
    pub name: &'static str,
    pub rules: Rules,
    pub paths: &'static [&'static str],
    pub thorough: bool,
}

impl Setup {
    pub fn run(&self) -> TrueRun {
        let simulated = SimulatedKernel::new(self.rules.clone());
        let mut logger = Logger { simulated, calls: Vec::new() };
        let findings = self.probe(&mut logger).expect("findings");
        assert_eq!(logger.simulated.leftovers(), Vec::<String>::new(), "{}", self.name);
        TrueRun { findings, calls: logger.calls }
    }

    /// Runs with a wrong result of the call with this number. The error is the message of a panic.
    pub fn run_with_fault(
        &self,
        number: usize,
        call: LoggedCall,
        false_result: FalseResult,
    ) -> Result<FaultyRun, String> {
        let result = match false_result {
            FalseResult::Failure(errno) => SysResult::failure(errno),
            FalseResult::Success(value) => SysResult::success(value),
            FalseResult::RequestedAddress => SysResult::success(call.args[0]),
        };
        catch_panic(|| {
            let mut simulated = SimulatedKernel::new(self.rules.clone());
            simulated.fault = Some(Fault { call: number, result });
            let findings = self.probe(&mut simulated);
            FaultyRun { findings, leftovers: simulated.leftovers() }
        })
    }

    fn probe(&self, kernel: &mut dyn Kernel) -> Result<Findings, Error> {
        probe(kernel, self.rules.machine, self.paths, self.thorough)
    }
}

/// Start and end of a mapping among the leftovers.
pub fn mapping_range(leftover: &str) -> Option<(usize, usize)> {
    let (start, end) = leftover.strip_prefix("mapping 0x")?.split(' ').next()?.split_once("-0x")?;
    Some((usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?))
}
