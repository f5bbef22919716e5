//! Huge pages, asked for without ever mapping one: `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory together with a
//! control bit can only fail, and how it fails tells the sizes apart (`ksys_mmap_pgoff` and `do_mmap` in `mm/mmap.c`): a size
//! the machine does not have is `EINVAL` before the flags are looked at, one it has gets as far as the control bit,
//! `EOPNOTSUPP`. No page is reserved, so an empty pool makes no difference.

use super::Bench;
use super::bench::Control;
use crate::evidence::{Backing, Evidence, Recognition};
use crate::flags::{CONTROL_BITS, CONTROL_SIZE, MAP_SHARED_VALIDATE};
use crate::kernel::PROT_READ;

/// `MAP_HUGETLB`: offered when the default size is. `EINVAL` on files of other kinds shows in the contexts.
pub fn offers_pages(bench: &mut Bench, bits: u64) -> Evidence {
    for &backing in &[Backing::Memfd, Backing::Pipe] {
        bench.ask((MAP_SHARED_VALIDATE, backing), bits);
    }
    offers(bench, bits, 0)
}

/// A huge page size: offered when it is answered in another way than a size that no machine has.
pub fn offers_size(bench: &mut Bench, bits: u64) -> Evidence {
    let hugetlb = bench.bits("MAP_HUGETLB");
    offers(bench, hugetlb, bits)
}

/// The question and its two controls, with two control bits; not asked when nothing validates flags, because then the call could
/// map something.
fn offers(bench: &mut Bench, hugetlb: u64, size: u64) -> Evidence {
    let mut evidence = Evidence::default();
    let Some(base) = bench.validators().iter().find_map(Control::validates) else {
        evidence.failed_control = Some("no MAP_SHARED_VALIDATE refuses unknown flags");
        return evidence;
    };
    for &bit in &CONTROL_BITS[..2] {
        let mut ask = |size| {
            let flags = MAP_SHARED_VALIDATE | hugetlb | size | 1 << bit;
            bench.try_map(flags, PROT_READ, Backing::Anonymous)
        };
        let (flagged, unknown) = (ask(size), ask(CONTROL_SIZE));
        let by = "anonymous huge memory with a flag that no kernel knows";
        evidence.offers.push(Recognition { by, base, flagged, unknown });
    }
    evidence
}
