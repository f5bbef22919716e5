//! What interferes with the measurements: emulators and filters between this program and the
//! kernel, and settings that change the results of calls. No verdict depends on this list: where
//! something interferes, the controls of the experiments fail.
//!
//! A condition is named by what was observed. It is named by its cause only where the cause was
//! read from a file of `/proc`.

use crate::experiments::{noreserve, residency, smaps};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MapFlags};
use crate::outcome::{Backing, Outcome};
use crate::procfs::{self, word};
use crate::request::RecordingVersion;
use crate::validation::Validation;
use core::fmt;
use kernel::{Errno, Kernel, OpenMode, PROT_NONE, PROT_READ};
use std::borrow::Cow;

mod signs;

/// The setting of `__vm_enough_memory` in `mm/util.c`.
const OVERCOMMIT: &str = "/proc/sys/vm/overcommit_memory";

/// A condition that interferes with the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interference {
    SyscallEmulator,
    NotLinux,
    /// The status of the process shows a filter, and calls are refused.
    SyscallFilter,
    /// Calls are refused as a filter does it, and no filter is shown.
    RefusedCalls,
    /// `VmFlags` show that fresh memory is locked.
    MlockAll,
    /// Fresh memory cannot be discarded.
    LockedMemory,
    BlindMincore,
    /// The setting is 1, and more memory than there is was given.
    Overcommit1,
    /// More memory than there is was given, and the setting is not 1 or unknown.
    UnlimitedMemory,
    /// The setting is 2, and more memory than there is was refused.
    Overcommit2,
    /// More memory than there is was refused, and the setting is not 2 or unknown.
    LimitedMemory,
    NoProc,
    NoSmaps,
    NoMemfd,
    NoMmu,
}

impl Interference {
    /// The name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Interference::SyscallEmulator => "system call emulator",
            Interference::NotLinux => "not Linux",
            Interference::SyscallFilter => "system call filter",
            Interference::RefusedCalls => "refused calls",
            Interference::MlockAll => "mlockall(MCL_FUTURE)",
            Interference::LockedMemory => "locked memory",
            Interference::BlindMincore => "blind mincore",
            Interference::Overcommit1 => "vm.overcommit_memory=1",
            Interference::UnlimitedMemory => "unlimited memory",
            Interference::Overcommit2 => "vm.overcommit_memory=2",
            Interference::LimitedMemory => "limited memory",
            Interference::NoProc => "no /proc",
            Interference::NoSmaps => "no smaps",
            Interference::NoMemfd => "no memfd",
            Interference::NoMmu => "no MMU",
        }
    }

    /// Whether the results are not those of a Linux kernel with an MMU.
    pub const fn replaces_kernel(self) -> bool {
        matches!(self, Interference::SyscallEmulator | Interference::NotLinux | Interference::NoMmu)
    }
}

/// A condition that was observed, and what was observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub interference: Interference,
    pub evidence: Cow<'static, str>,
}

impl Observed {
    /// The name in a report.
    pub const fn name(&self) -> &'static str {
        self.interference.name()
    }
}

/// Outcomes of the calls that show interference.
struct Answers {
    unassigned: Outcome,
    fixed: Outcome,
    discarded: Outcome,
    resident: Outcome,
    memfd: Result<(), Errno>,
    smaps: Result<(), Errno>,
    /// More memory than there is was given without `MAP_NORESERVE`, with it, and without access.
    beyond_memory: [bool; 3],
}

impl Answers {
    fn measure(fixture: &mut Fixture) -> Answers {
        let try_private = |fixture: &mut Fixture, flag: MapFlags| {
            fixture.try_map(MAP_PRIVATE | flag, PROT_READ, Backing::Anonymous)
        };
        let unassigned = try_private(fixture, MapFlags::UNASSIGNED);
        fixture.conditions.unassigned = Some(unassigned);
        let fixed = try_private(fixture, MAP_FIXED);
        let discarded = residency::discard(fixture, MAP_PRIVATE);
        fixture.conditions.locked_memory = residency::may_be_locked(fixture, discarded);
        let resident = residency::resident_pages(fixture, MAP_PRIVATE);
        let beyond_memory = [
            (MAP_PRIVATE, READ_WRITE),
            (MAP_PRIVATE | MAP_NORESERVE, READ_WRITE),
            // Memory without access is never accounted.
            (MAP_PRIVATE, PROT_NONE),
        ]
        .map(|(flags, prot)| noreserve::overcommits(fixture, flags, prot));
        let smaps = can_be_opened(fixture, smaps::SMAPS);
        let memfd = fixture.memfd().map(|_| ());
        Answers { unassigned, fixed, discarded, resident, memfd, smaps, beyond_memory }
    }

    /// Without an MMU, `MAP_FIXED` is rejected (`validate_mmap_request` in `mm/nommu.c`), and
    /// `madvise` does not exist (`kernel/sys_ni.c`).
    fn no_mmu(&self) -> bool {
        self.fixed == Outcome::MmapFailed(Errno::EINVAL)
            && self.discarded == Outcome::Failed(Errno::ENOSYS)
    }

    /// The calls that are refused, although Linux never refuses them in this way: their names and
    /// errors, separated by commas.
    fn refusals(&self) -> String {
        let memfd = self.memfd.err().map_or(Outcome::Ok, Outcome::Failed);
        let has_mmu = !self.no_mmu();
        let mut refusals = String::new();
        let mut add = |call: &str, outcome: Outcome, is_refused: bool| {
            if is_refused {
                let separator = if refusals.is_empty() { "" } else { ", " };
                refusals.push_str(&format!("{separator}{call} fails with {outcome}"));
            }
        };
        let Answers { unassigned, fixed, discarded, resident, .. } = *self;
        add("mmap with an unassigned bit", unassigned, is_refused_mmap(unassigned));
        add("mmap with MAP_FIXED", fixed, has_mmu && is_refused_mmap(fixed));
        add("madvise", discarded, has_mmu && is_refused(discarded));
        add("mincore", resident, has_mmu && is_refused(resident));
        add("memfd_create", memfd, memfd == Outcome::Failed(Errno::EPERM));
        refusals
    }
}

/// Whether a call failed as one that a filter rejects.
fn is_refused(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Failed(Errno::EPERM | Errno::ENOSYS))
}

/// Whether `mmap` failed for another reason than a lack of memory.
fn is_refused_mmap(outcome: Outcome) -> bool {
    outcome.is_mmap_failure() && !matches!(outcome.errno(), Some(Errno::ENOMEM | Errno::EAGAIN))
}

fn can_be_opened(fixture: &mut Fixture, path: &str) -> Result<(), Errno> {
    let file = fixture.kernel.open(path, OpenMode::Read)?;
    fixture.kernel.close(file);
    Ok(())
}

/// Detects what interferes.
pub fn detect(fixture: &mut Fixture, validation: &Validation) -> Vec<Observed> {
    let answers = Answers::measure(fixture);
    let mut found = Found::default();
    if let Some(sign) = signs::of_emulator(fixture, validation) {
        found.add(Interference::SyscallEmulator, sign);
    } else if let Some(sign) = signs::of_other_kernel(fixture, validation) {
        found.add(Interference::NotLinux, sign);
    }
    match killing_filter(fixture.kernel, fixture.recording_version) {
        Some(filter) => found.0.push(filter),
        None => found.add_refusals(fixture, &answers),
    }
    if !answers.discarded.succeeded() && fixture.conditions.locked_memory {
        found.add_locked_memory(fixture, answers.discarded);
    }
    if answers.resident == residency::ALL_RESIDENT && answers.discarded.succeeded() {
        let evidence = "every page of fresh memory counts as resident before a touch";
        found.add(Interference::BlindMincore, evidence);
    }
    found.add_overcommitment(fixture, answers.beyond_memory);
    if let Err(errno) = answers.smaps {
        found.add_missing_smaps(fixture, errno);
    }
    if let Err(errno) = answers.memfd {
        found.add_text(Interference::NoMemfd, format_args!("memfd_create fails with {errno}"));
    }
    if answers.no_mmu() {
        let evidence = "MAP_FIXED fails with EINVAL and madvise with ENOSYS";
        found.add(Interference::NoMmu, evidence);
    }
    found.0
}

/// The conditions that were observed.
#[derive(Default)]
struct Found(Vec<Observed>);

impl Found {
    fn add(&mut self, interference: Interference, evidence: &'static str) {
        self.0.push(Observed { interference, evidence: Cow::Borrowed(evidence) });
    }

    fn add_text(&mut self, interference: Interference, evidence: fmt::Arguments) {
        let evidence = Cow::Owned(evidence.to_string());
        self.0.push(Observed { interference, evidence });
    }

    /// Refused calls are named by the filter where the process has one (`SECCOMP_MODE_FILTER`). A
    /// kernel that rejects an unassigned bit under `MAP_PRIVATE`, without a filter, is not Linux.
    fn add_refusals(&mut self, fixture: &mut Fixture, answers: &Answers) {
        let refusals = answers.refusals();
        if refusals.is_empty() {
            return;
        }
        let rejects_bit = is_refused_mmap(answers.unassigned)
            && !matches!(answers.unassigned.errno(), Some(Errno::EPERM | Errno::ENOSYS));
        match word(fixture, "/proc/self/status", "Seccomp:").as_deref() {
            Some("2") => self.add_text(
                Interference::SyscallFilter,
                format_args!("{refusals}; Seccomp is 2 in /proc/self/status"),
            ),
            Some(_) if rejects_bit => self.add_text(
                Interference::NotLinux,
                format_args!("{refusals} under MAP_PRIVATE, which Linux never validates"),
            ),
            _ => self.add_text(Interference::RefusedCalls, format_args!("{refusals}")),
        }
    }

    /// Only `mlockall(MCL_FUTURE)` locks memory that was mapped without `MAP_LOCKED`.
    fn add_locked_memory(&mut self, fixture: &mut Fixture, discarded: Outcome) {
        let is_locked = fixture.recording_version >= RecordingVersion::Two
            && smaps::locked(fixture) == Outcome::Value(1);
        if is_locked {
            self.add(Interference::MlockAll, "VmFlags of fresh memory in /proc/self/smaps have lo");
        } else if discarded == Outcome::Failed(Errno::EINVAL) {
            let evidence = "madvise(MADV_DONTNEED) of fresh memory fails with EINVAL";
            self.add(Interference::LockedMemory, evidence);
        }
    }

    fn add_overcommitment(&mut self, fixture: &mut Fixture, beyond_memory: [bool; 3]) {
        let [plain, with_noreserve, without_access] = beyond_memory;
        let (value, as_set, otherwise, observed) = if plain {
            let observed = "more memory than sysinfo counts is given without MAP_NORESERVE";
            ("1", Interference::Overcommit1, Interference::UnlimitedMemory, observed)
        } else if !with_noreserve && without_access {
            let observed = "more memory than sysinfo counts is given only without access";
            ("2", Interference::Overcommit2, Interference::LimitedMemory, observed)
        } else {
            return;
        };
        match word(fixture, OVERCOMMIT, "") {
            None => self.add(otherwise, observed),
            Some(read) => {
                let interference = if read == value { as_set } else { otherwise };
                self.add_text(interference, format_args!("{observed}; {OVERCOMMIT} is {read}"));
            }
        }
    }

    fn add_missing_smaps(&mut self, fixture: &mut Fixture, errno: Errno) {
        // `/proc` may be missing, or a file.
        let is_missing = |errno| matches!(errno, Errno::ENOENT | Errno::ENOTDIR);
        let no_proc = is_missing(errno)
            && fixture.recording_version >= RecordingVersion::Two
            && can_be_opened(fixture, procfs::LIMITS).is_err_and(is_missing);
        if no_proc {
            let evidence = "/proc/self/smaps and /proc/self/limits do not exist";
            self.add(Interference::NoProc, evidence);
        } else {
            let evidence = format_args!("opening /proc/self/smaps fails with {errno}");
            self.add_text(Interference::NoSmaps, evidence);
        }
    }
}

/// The system call filter that ended earlier attempts of this run, if one did.
pub fn killing_filter(kernel: &mut dyn Kernel, version: RecordingVersion) -> Option<Observed> {
    if version == RecordingVersion::One {
        return None;
    }
    let calls = kernel.fatal_calls();
    let evidence = Cow::Owned(format!("killed by {calls}"));
    (!calls.is_empty()).then_some(Observed { interference: Interference::SyscallFilter, evidence })
}
