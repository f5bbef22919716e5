//! Answers of `mmap` that no version of Linux gives.

use crate::fixture::{Fixture, VALIDATE};
use crate::outcome::{Backing, Context};
use crate::validation::Validation;

/// `MAP_HUGE_2MB | MAP_HUGE_1GB`, which `LEGACY_MAP_MASK` in `include/linux/mman.h` has since 4.15.
const ALWAYS_ACCEPTED: usize = 0x1f << 26;
/// The bits of a flags argument above those of an `int`.
const UPPER_BITS: usize = !(u32::MAX as usize);

/// A sign that an emulator or an instrumenter passes calls on to Linux, in its own way:
///
/// - QEMU's user mode before 8.1 (`target_mmap` in `linux-user/mmap.c`) gives the type alone to the
///   host before it maps anything, and drops unassigned bits.
/// - QEMU since 8.1 (`do_mmap` in `linux-user/syscall.c`) and Valgrind keep the flags in an `int`.
///   QEMU also has a `LEGACY_MAP_MASK` of its own.
pub fn of_emulator(fixture: &Fixture, validation: &Validation) -> Option<&'static str> {
    if fixture.conditions.syscall_emulator {
        Some("MAP_SHARED_VALIDATE is rejected, yet accepted with MAP_FIXED and an unassigned bit")
    } else if UPPER_BITS != 0 && validation.accepted & UPPER_BITS == UPPER_BITS {
        Some("MAP_SHARED_VALIDATE accepts bits 32 to 63, which no Linux does")
    } else if (validation.rejected & ALWAYS_ACCEPTED).count_ones() > 1 {
        Some("MAP_SHARED_VALIDATE rejects bits of the huge page size, which no Linux does")
    } else {
        None
    }
}

/// A sign of another kernel:
///
/// - gVisor (`Mmap` in `pkg/sentry/syscalls/linux/sys_mmap.go`) and FreeBSD (`linux_mmap_common` in
///   `sys/compat/linux/linux_mmap.c`) look at two bits of the type field. `MAP_TYPE` of Linux has
///   four, except on parisc.
/// - Asterinas mapped anonymous memory with `MAP_SHARED_VALIDATE`, which fails with `EINVAL` in
///   `do_mmap`, `mm/mmap.c`.
pub fn of_other_kernel(fixture: &mut Fixture, validation: &Validation) -> Option<&'static str> {
    let anonymous = Context { map_type: VALIDATE, backing: Backing::Anonymous };
    let mut contexts = validation.contexts.iter();
    let is_mapped = contexts.any(|&(context, outcome)| context == anonymous && outcome.succeeded());
    if validation.drops_type_bits {
        Some("bits 2 and 3 of the type field are dropped, which no Linux does")
    } else if is_mapped && fixture.probe(anonymous, 0).succeeded() {
        Some("MAP_SHARED_VALIDATE maps anonymous memory, which no Linux does")
    } else {
        None
    }
}
