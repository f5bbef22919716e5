//! What interferes with the measurements: emulators and filters between this program and the
//! kernel, and settings that change the results of calls. No verdict depends on this list: where
//! something interferes, the controls of the experiments fail.

use crate::experiments::{noreserve, residency, smaps};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MapFlags};
use crate::outcome::{Backing, Outcome};
use crate::request::RecordingVersion;
use kernel::{Errno, Kernel, OpenMode, PROT_NONE, PROT_READ};
use std::borrow::Cow;

/// A condition that interferes with the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interference {
    SyscallEmulator,
    NotLinux,
    SyscallFilter,
    LockedMemory,
    BlindMincore,
    Overcommit1,
    Overcommit2,
    NoProc,
    NoMemfd,
    NoMmu,
}

impl Interference {
    pub const ALL: [Interference; 10] = [
        Interference::SyscallEmulator,
        Interference::NotLinux,
        Interference::SyscallFilter,
        Interference::LockedMemory,
        Interference::BlindMincore,
        Interference::Overcommit1,
        Interference::Overcommit2,
        Interference::NoProc,
        Interference::NoMemfd,
        Interference::NoMmu,
    ];

    /// The name in a report.
    pub const fn name(self) -> &'static str {
        match self {
            Interference::SyscallEmulator => "system call emulator",
            Interference::NotLinux => "not Linux",
            Interference::SyscallFilter => "system call filter",
            Interference::LockedMemory => "mlockall(MCL_FUTURE)",
            Interference::BlindMincore => "blind mincore",
            Interference::Overcommit1 => "vm.overcommit_memory=1",
            Interference::Overcommit2 => "vm.overcommit_memory=2",
            Interference::NoProc => "no /proc",
            Interference::NoMemfd => "no memfd",
            Interference::NoMmu => "no MMU",
        }
    }

    /// What was observed.
    pub const fn evidence(self) -> &'static str {
        match self {
            Interference::SyscallEmulator => {
                "MAP_SHARED_VALIDATE is rejected, yet accepted with MAP_FIXED and an unassigned bit"
            }
            Interference::NotLinux => {
                "an unassigned bit is rejected under MAP_PRIVATE, which Linux never validates"
            }
            Interference::SyscallFilter => {
                "an unassigned bit, mincore, madvise or memfd_create fails with EPERM or ENOSYS"
            }
            Interference::LockedMemory => {
                "madvise(MADV_DONTNEED) fails for fresh memory mapped without MAP_LOCKED"
            }
            Interference::BlindMincore => {
                "every page of fresh memory counts as resident before a touch"
            }
            Interference::Overcommit1 => {
                "more memory than there is was given without MAP_NORESERVE"
            }
            Interference::Overcommit2 => "more memory than there is was given only without access",
            Interference::NoProc => "/proc/self/smaps cannot be opened",
            Interference::NoMemfd => "memfd_create failed",
            Interference::NoMmu => "MAP_FIXED in the program's own range fails with EINVAL",
        }
    }

    /// Whether the results are not those of a Linux kernel with an MMU.
    pub const fn replaces_kernel(self) -> bool {
        match self {
            Interference::SyscallEmulator | Interference::NotLinux | Interference::NoMmu => true,
            Interference::SyscallFilter
            | Interference::LockedMemory
            | Interference::BlindMincore
            | Interference::Overcommit1
            | Interference::Overcommit2
            | Interference::NoProc
            | Interference::NoMemfd => false,
        }
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

/// Detects what interferes.
pub fn detect(fixture: &mut Fixture) -> Vec<Observed> {
    let try_private = |fixture: &mut Fixture, flag: MapFlags| {
        fixture.try_map(MAP_PRIVATE | flag, PROT_READ, Backing::Anonymous)
    };
    let unassigned = try_private(fixture, MapFlags::UNASSIGNED);
    let fixed = try_private(fixture, MAP_FIXED);
    let discarded = residency::discard(fixture, MAP_PRIVATE);
    // Measured twice: one wrong result must not lead to a mapping that fills the memory.
    fixture.conditions.locked_memory =
        !discarded.succeeded() || !residency::discard(fixture, MAP_PRIVATE).succeeded();
    let resident = residency::resident_pages(fixture, MAP_PRIVATE);
    let overcommits = noreserve::overcommits(fixture, MAP_PRIVATE, READ_WRITE);
    let with_noreserve = noreserve::overcommits(fixture, MAP_PRIVATE | MAP_NORESERVE, READ_WRITE);
    // Memory without access is never accounted.
    let without_access = noreserve::overcommits(fixture, MAP_PRIVATE, PROT_NONE);
    let smaps = fixture.kernel.open(smaps::SMAPS, OpenMode::Read);
    if let Ok(file) = smaps {
        fixture.kernel.close(file);
    }
    let killer = killing_filter(fixture.kernel, fixture.recording_version);
    let memfd = fixture.memfd();
    let no_mmu = fixed == Outcome::MmapFailed(Errno::EINVAL);

    let is_detected = |interference: &Interference| match interference {
        Interference::SyscallEmulator => fixture.conditions.syscall_emulator,
        Interference::NotLinux => unassigned.is_mmap_failure() && !is_filtered(unassigned),
        // Kernels without an MMU have neither mincore nor madvise (`kernel/sys_ni.c`).
        Interference::SyscallFilter => {
            killer.is_some()
                || is_filtered(unassigned)
                || memfd == Err(Errno::EPERM)
                || (is_filtered(resident) || is_filtered(discarded)) && !no_mmu
        }
        Interference::LockedMemory => discarded == Outcome::Failed(Errno::EINVAL),
        Interference::BlindMincore => resident == residency::ALL_RESIDENT && discarded.succeeded(),
        Interference::Overcommit1 => overcommits,
        Interference::Overcommit2 => !with_noreserve && without_access,
        Interference::NoProc => smaps.is_err(),
        Interference::NoMemfd => memfd.is_err(),
        Interference::NoMmu => no_mmu,
    };
    let detected = Interference::ALL.into_iter().filter(is_detected);
    let observed = |interference: Interference| match &killer {
        Some(killer) if killer.interference == interference => killer.clone(),
        _ => Observed { interference, evidence: Cow::Borrowed(interference.evidence()) },
    };
    detected.map(observed).collect()
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

/// Whether a system call filter may be the cause of an outcome.
fn is_filtered(outcome: Outcome) -> bool {
    outcome.may_be_filtered()
}
