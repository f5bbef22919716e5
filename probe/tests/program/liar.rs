//! A kernel made of rules that lies once: a call is answered with something else, and nothing is done for it.

use super::findings::{Findings, probe};
use mapprobe::errno::Errno;
use mapprobe::kernel::model::{Model, Rules};
use mapprobe::kernel::{Answer, Call, Kernel, Op};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is answered in place of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// It failed.
    Fails(Errno),
    /// It succeeded, with this value: for `mmap` an address.
    Gives(u64),
    /// `mmap` succeeded at the address that was asked for.
    GivesAsAsked,
}

/// A call of an honest run: which, and its first two integers (a range of addresses, or a descriptor).
pub type Asked = (Op, u64, u64);

/// An honest run: what was found out, and every call.
pub struct Honest {
    pub findings: Findings,
    pub calls: Vec<Asked>,
}

/// A kernel that writes down what it is asked.
struct Listening {
    model: Model,
    calls: Vec<Asked>,
}

impl Kernel for Listening {
    fn call(&mut self, call: &mut Call) -> Answer {
        self.calls.push((call.op, call.args[0], call.args[1]));
        self.model.call(call)
    }
}

/// What there is to ask: the rules, the paths, and whether thoroughly.
#[derive(Clone, Debug)]
pub struct Run {
    pub name: &'static str,
    pub rules: Rules,
    pub paths: &'static [&'static str],
    pub thorough: bool,
}

impl Run {
    /// Nobody lies.
    pub fn honest(&self) -> Honest {
        let mut kernel = Listening { model: Model::new(self.rules.clone()), calls: Vec::new() };
        let findings = probe(&mut kernel, self.rules.machine, self.paths, self.thorough)
            .expect("an honest run");
        assert_eq!(kernel.model.left(), Vec::<String>::new(), "{}", self.name);
        Honest { findings, calls: kernel.calls }
    }

    /// One lie: what was found out or complained of, and what is left. The error is what ended the run.
    pub fn with(
        &self,
        at: usize,
        asked: Asked,
        lie: Lie,
    ) -> Result<(Result<Findings, String>, Vec<String>), String> {
        let answer = match lie {
            Lie::Fails(errno) => Answer::failed(errno),
            Lie::Gives(value) => Answer::value(value),
            Lie::GivesAsAsked => Answer::value(asked.1),
        };
        let run = || {
            let mut model = Model::new(self.rules.clone());
            model.fault = Some((at, answer));
            let found = probe(&mut model, self.rules.machine, self.paths, self.thorough);
            (found, model.left())
        };
        catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
            let said = panic.downcast_ref::<String>().cloned();
            said.or_else(|| panic.downcast_ref::<&str>().map(|said| said.to_string()))
                .unwrap_or_default()
        })
    }
}

/// The range of addresses of a mapping that is left.
pub fn range(left: &str) -> Option<(u64, u64)> {
    let (start, end) = left.strip_prefix("mapping 0x")?.split(' ').next()?.split_once("-0x")?;
    Some((u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?))
}
