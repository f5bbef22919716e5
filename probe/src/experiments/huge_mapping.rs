//! One mapping of huge pages at an aligned address of a range reserved for it.

use crate::fixture::{AlignedRoom, Fixture};
use crate::flags::{MAP_FIXED, MapFlags};
use crate::outcome::{Backing, Outcome, Size};
use kernel::{Errno, PROT_NONE, PROT_READ};

/// The base-2 logarithm of the default size where none is found, and of the largest size of which a
/// page is touched.
pub const USUAL_SIZE: u32 = 21;
/// `munmap` of one base page fails: the mapping consists of huge pages.
pub const IS_HUGE: Outcome = Outcome::Value(1);

/// Whether a mapping consists of huge pages (1 or 0).
pub fn geometry(fixture: &mut Fixture, flags: MapFlags, log2: u32) -> Outcome {
    // Where all memory is locked, mmap would touch a page that is accessible.
    let prot = if fixture.conditions.locked_memory { PROT_NONE } else { PROT_READ };
    about_page(fixture, flags, prot, log2, &mut is_huge)
}

/// Whether the huge mapping at an address consists of huge pages (1 or 0).
pub fn is_huge(fixture: &mut Fixture, addr: usize) -> Outcome {
    let unmapped = Outcome::of(fixture.kernel.munmap(addr, fixture.page_size()));
    fixture.log("munmap of one page of it", unmapped);
    match unmapped {
        Outcome::Failed(Errno::EINVAL) => IS_HUGE,
        Outcome::Ok => Outcome::Value(0),
        failed => failed,
    }
}

/// Maps a huge page, measures something about it, and unmaps it. The address is aligned to
/// 2^`log2` bytes and to no larger power of two. [`Outcome::NotRun`] if there is no room for three
/// pages of that size.
pub fn about_page(
    fixture: &mut Fixture,
    flags: MapFlags,
    prot: u32,
    log2: u32,
    measure: &mut dyn FnMut(&mut Fixture, usize) -> Outcome,
) -> Outcome {
    let Some(AlignedRoom { addr, room, .. }) = fixture.aligned_room(log2) else {
        return Outcome::NotRun;
    };
    let (page, flags) = (fixture.page_size(), flags | MAP_FIXED);
    let mapped = fixture.mmap(addr, page, prot, flags, Backing::Anonymous).outcome;
    fixture.log_mmap(flags, Backing::Anonymous, Size::Large, mapped);
    let measured = if mapped.succeeded() { measure(fixture, addr) } else { mapped };
    fixture.kernel.munmap(room.addr, room.len);
    measured
}
