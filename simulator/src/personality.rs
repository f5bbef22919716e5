//! How each personality changes or rejects the flags of `mmap(2)` before memory management handles
//! the call.

use crate::flag_numbers::{
    FIXED_NOREPLACE, HUGE_MASK, HUGE_SHIFT, PRIVATE, SHARED, SHARED_VALIDATE,
};
use crate::rules::{Personality, Rules};
use kernel::{Errno, Mmap};

/// The bits of the map type that QEMU 7.2 passes on.
const QEMU_TYPE_MASK: usize = 3;

impl Rules {
    /// The call as it reaches the memory management, or the error.
    pub(crate) fn translate(&self, call: &Mmap) -> Result<Mmap, Errno> {
        let flags = match self.personality {
            Personality::Linux => call.flags,
            Personality::Nommu => self.translate_nommu(call.flags)?,
            Personality::QemuUser => self.translate_qemu_user(call.flags)?,
            Personality::QemuUser10 => self.translate_qemu_user_10(call.flags)?,
            Personality::Gvisor => self.translate_gvisor(call.flags)?,
            Personality::Wsl1 => self.translate_wsl1(call.flags)?,
        };
        Ok(Mmap { flags, ..*call })
    }

    /// `validate_mmap_request`, `mm/nommu.c`: two map types, and no `MAP_FIXED`.
    fn translate_nommu(&self, flags: usize) -> Result<usize, Errno> {
        let map_type = flags & self.numbers.type_mask;
        let is_valid = flags & self.numbers.fixed == 0 && [SHARED, PRIVATE].contains(&map_type);
        if is_valid { Ok(flags) } else { Err(Errno::EINVAL) }
    }

    /// `mmap_flags_tbl`, `linux-user/syscall.c` of QEMU: passes on a few flags and drops the
    /// others. `target_mmap`, `linux-user/mmap.c`: calls the host.
    fn translate_qemu_user(&self, flags: usize) -> Result<usize, Errno> {
        let numbers = &self.numbers;
        // Unless the address is fixed, QEMU places the mapping itself, at any page.
        if flags & numbers.hugetlb != 0 && flags & numbers.fixed == 0 {
            return Err(Errno::EINVAL);
        }
        // Unless the address is fixed, QEMU first maps anonymous memory of this type on the host.
        let map_type = flags & QEMU_TYPE_MASK;
        if map_type == SHARED_VALIDATE && flags & numbers.fixed == 0 {
            return Err(Errno::EINVAL);
        }
        let passed = numbers.fixed
            | numbers.anonymous
            | numbers.locked
            | numbers.noreserve
            | numbers.growsdown
            | numbers.hugetlb;
        Ok(map_type | flags & passed)
    }

    /// `do_mmap`, `linux-user/syscall.c` of QEMU since 8.1: the flags are an `int`, and
    /// `TARGET_LEGACY_MAP_MASK` has neither the huge page sizes nor `MAP_32BIT`. `mmap_flags_tbl`:
    /// `MAP_STACK` and the huge page sizes are dropped.
    fn translate_qemu_user_10(&self, flags: usize) -> Result<usize, Errno> {
        let numbers = &self.numbers;
        let flags = flags & u32::MAX as usize;
        let map_type = flags & numbers.type_mask;
        let passed = numbers.fixed
            | numbers.anonymous
            | numbers.growsdown
            | numbers.locked
            | numbers.noreserve
            | numbers.populate
            | numbers.nonblock
            | numbers.hugetlb;
        let dropped =
            numbers.denywrite | numbers.executable | numbers.stack | numbers.uninitialized;
        match map_type {
            SHARED | PRIVATE => Ok(map_type | flags & (passed | FIXED_NOREPLACE)),
            SHARED_VALIDATE if flags & !(map_type | passed | dropped | numbers.sync) != 0 => {
                Err(Errno::EOPNOTSUPP)
            }
            SHARED_VALIDATE => Ok(map_type | flags & (passed | numbers.sync)),
            _ => Err(Errno::EINVAL),
        }
    }

    /// `Mmap`, `pkg/sentry/syscalls/linux/sys_mmap.go` of gVisor: either `MAP_SHARED` or
    /// `MAP_PRIVATE`, and many flags are ignored.
    fn translate_gvisor(&self, flags: usize) -> Result<usize, Errno> {
        let numbers = &self.numbers;
        if (flags & SHARED != 0) == (flags & PRIVATE != 0) {
            return Err(Errno::EINVAL);
        }
        let ignored = numbers.hugetlb
            | numbers.sync
            | numbers.stack
            | numbers.noreserve
            | FIXED_NOREPLACE
            | HUGE_MASK << HUGE_SHIFT;
        Ok(flags & !(numbers.type_mask | ignored) | flags & (SHARED | PRIVATE))
    }

    /// The first Windows Subsystem for Linux rejects flags that it does not implement.
    fn translate_wsl1(&self, flags: usize) -> Result<usize, Errno> {
        let numbers = &self.numbers;
        let implemented = numbers.type_mask
            | numbers.fixed
            | numbers.anonymous
            | numbers.denywrite
            | numbers.executable
            | numbers.noreserve
            | numbers.populate
            | numbers.nonblock
            | numbers.stack
            | numbers.map_32bit;
        if flags & !implemented == 0 { Ok(flags) } else { Err(Errno::EOPNOTSUPP) }
    }
}
