//! Whether this process can have one huge page now: reserves one for a moment, and touches it if it
//! is not larger than 2 MiB. Both change with the pool and the limits of the process.
//!
//! A reservation of a page that the pool has only moves a counter (`hugetlb_reserve_pages`,
//! `mm/hugetlb.c`), whatever its size. Where the pool has none and `nr_overcommit_hugepages`
//! permits it, a page is made (`gather_surplus_pages`): that is not tried for larger sizes.

use super::huge_mapping::{IS_HUGE, USUAL_SIZE, about_page, is_huge};
use crate::availability::{Answer, Availability, Pool};
use crate::fixture::{Fixture, READ_WRITE};
use crate::flags::{MAP_PRIVATE, MapFlags};
use crate::outcome::Outcome;
use crate::procfs::word;
use crate::request::RecordingVersion;
use kernel::Errno;
use kernel::recording::parse_number;

/// The byte that is stored. It differs from the zero of a fresh page.
const MARK: u8 = b'h';

/// Whether a page can be had: yes if one of two attempts shows it. `None` in a recording of
/// version 1.
pub fn availability(fixture: &mut Fixture, flags: MapFlags, log2: u32) -> Option<Availability> {
    if fixture.recording_version < RecordingVersion::Two {
        return None;
    }
    let first = ask(fixture, flags, log2);
    let is_decided = first.answer() == Answer::Yes;
    Some(if is_decided { first } else { ask(fixture, flags, log2) })
}

fn ask(fixture: &mut Fixture, flags: MapFlags, log2: u32) -> Availability {
    let is_touched = log2 <= USUAL_SIZE;
    if !is_touched && fixture.conditions.locked_memory {
        return Availability::Unknown("not asked: mmap itself would touch a large page");
    }
    if !is_touched && makes_pages(fixture, log2) {
        return Availability::Unknown("not asked: the kernel might make a large page");
    }
    let measure = if is_touched { touch } else { is_huge };
    match about_page(fixture, MAP_PRIVATE | flags, READ_WRITE, log2, &mut { measure }) {
        Outcome::Ok => Availability::Touched,
        IS_HUGE => Availability::Reserved,
        Outcome::Failed(Errno::EFAULT) => Availability::TouchFails,
        Outcome::MmapFailed(Errno::ENOMEM) => {
            Availability::Refused(Errno::ENOMEM, pool(fixture, log2))
        }
        Outcome::MmapFailed(errno) => Availability::Refused(errno, None),
        Outcome::NotRun => Availability::Unknown("not asked: no room in the address space"),
        _ => Availability::Unknown("the touch could not be tested"),
    }
}

/// Stores a byte and loads it again. `EFAULT` where a program would receive `SIGBUS`.
fn touch(fixture: &mut Fixture, addr: usize) -> Outcome {
    let stored = fixture.store_byte(addr, MARK);
    fixture.log("a store into it", stored);
    if stored != Outcome::Ok {
        return stored;
    }
    let loaded = fixture.load_byte(addr);
    match fixture.log("the byte in it", loaded) {
        Outcome::Value(MARK) => Outcome::Ok,
        Outcome::Failed(errno) => Outcome::Failed(errno),
        _ => {
            fixture.drain_pipe();
            Outcome::Failed(Errno::EIO)
        }
    }
}

/// Whether a reservation might make a page: the pool is not known to have one, and the kernel is
/// not known to add none.
fn makes_pages(fixture: &mut Fixture, log2: u32) -> bool {
    number(fixture, log2, "nr_overcommit_hugepages") != Some(0)
        && pool(fixture, log2).is_none_or(|pool| pool.unreserved() == 0)
}

/// The pool of a size, if it can be read.
fn pool(fixture: &mut Fixture, log2: u32) -> Option<Pool> {
    let free = number(fixture, log2, "free_hugepages")?;
    let reserved = if free > 0 { number(fixture, log2, "resv_hugepages")? } else { 0 };
    Some(Pool { free, reserved })
}

/// The number in a file about a size: `Documentation/admin-guide/mm/hugetlbpage.rst`.
fn number(fixture: &mut Fixture, log2: u32, file: &str) -> Option<usize> {
    let kilobytes = 1_usize << (log2 - 10);
    let path = format!("/sys/kernel/mm/hugepages/hugepages-{kilobytes}kB/{file}");
    parse_number(word(fixture, &path, "")?.as_bytes(), 10)
}
