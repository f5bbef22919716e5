//! Huge pages, asked for without ever mapping one: `MAP_SHARED_VALIDATE | MAP_HUGETLB` of anonymous memory together with a
//! control bit can only fail, and how it fails tells the sizes apart (`ksys_mmap_pgoff` and `do_mmap` in `mm/mmap.c`): a size
//! the machine does not have is `EINVAL` before the flags are looked at, one it has gets as far as the control bit,
//! `EOPNOTSUPP`. No page is reserved, so an empty pool makes no difference.

use super::Bench;
use super::bench::{CONTROL, Control};
use crate::evidence::{Backing, Evidence, Recognition};
use crate::flags::{CONTROL_SIZE, MAP_SHARED_VALIDATE};
use crate::kernel::PROT_READ;

/// `MAP_HUGETLB`: offered when the default size is. `EINVAL` on files of other kinds shows in the contexts.
pub fn offers_pages(bench: &mut Bench, bits: u64) -> Evidence {
    for backing in [Backing::Memfd, Backing::Pipe] {
        bench.ask((MAP_SHARED_VALIDATE, backing), bits);
    }
    evidence(offer(bench, bits, 0))
}

/// A huge page size: offered when it is answered in another way than a size that no machine has.
pub fn offers_size(bench: &mut Bench, bits: u64) -> Evidence {
    let hugetlb = bench.bits("MAP_HUGETLB");
    evidence(offer(bench, hugetlb, bits))
}

fn evidence(offer: Option<Recognition>) -> Evidence {
    let failed_control = match offer {
        Some(_) => None,
        None => Some("there is no MAP_SHARED_VALIDATE that refuses unknown flags"),
    };
    Evidence { offer, failed_control, ..Evidence::default() }
}

/// The question and its two controls; none when nothing validates flags, because then the call could map something.
fn offer(bench: &mut Bench, hugetlb: u64, size: u64) -> Option<Recognition> {
    let base = bench.validators().iter().find_map(Control::validates)?;
    let mut ask = |size| bench.try_map(MAP_SHARED_VALIDATE | hugetlb | size | CONTROL, PROT_READ, Backing::Anonymous);
    let (flagged, unknown) = (ask(size), ask(CONTROL_SIZE));
    Some(Recognition { by: "anonymous huge memory with a flag that no kernel knows", base, flagged, unknown })
}
