//! The pools of huge pages and the hugetlb controller of cgroups: `mm/hugetlb.c`,
//! `mm/hugetlb_cgroup.c`.

use crate::areas::{Area, HugePages};
use crate::rules::MIB;
use crate::state::SimulatedKernel;
use kernel::Errno;

/// The directory of the files about pools.
pub(crate) const HUGE_PAGES: &str = "/sys/kernel/mm/hugepages/";
/// The largest page that the program may touch or let the kernel make.
const LARGEST_TOUCHED: usize = 2 * MIB;

/// What limits the huge pages of the process, beside the pool of the default size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hugetlb {
    /// Pages in the pool of every size but the default one.
    pub other_pools: usize,
    /// Pages of every size that other processes reserved.
    pub reserved_elsewhere: usize,
    /// `nr_overcommit_hugepages` of every size: pages that are made when the pool has none.
    pub overcommit: usize,
    /// `hugetlb.*.max` in pages: how many the process may touch.
    pub max: Option<usize>,
    /// `hugetlb.*.rsvd.max` in pages: how many the process may reserve.
    pub rsvd_max: Option<usize>,
    /// Whether sysfs is not mounted.
    pub no_sys: bool,
}

/// The pages of one size.
struct Pool {
    /// Pages of the pool, without those that are made.
    pages: usize,
    /// Pages of this process.
    resident: usize,
    /// Pages that are reserved and not used, of this process and of others.
    reserved: usize,
}

impl SimulatedKernel {
    fn pool(&self, size: usize) -> Pool {
        let default = self.rules.huge_sizes.first().is_some_and(|&log2| 1 << log2 == size);
        let mut pool = Pool {
            pages: if default { self.rules.pool } else { self.rules.hugetlb.other_pools },
            resident: 0,
            reserved: self.rules.hugetlb.reserved_elsewhere,
        };
        for area in self.areas.by_start.values() {
            if let Some(huge) = area.huge.filter(|huge| huge.size == size) {
                pool.resident += area.resident.len();
                pool.reserved += huge.reserved.saturating_sub(area.resident.len());
            }
        }
        pool
    }

    /// Pages that nobody uses or reserved, or that can be made.
    fn spare_huge_pages(&self, size: usize) -> usize {
        let Pool { pages, resident, reserved } = self.pool(size);
        (pages + self.rules.hugetlb.overcommit).saturating_sub(resident + reserved)
    }

    /// `hugetlb_reserve_pages`: charges the cgroup, then takes pages from the pool. Without a
    /// reservation nothing is charged.
    pub(crate) fn reserve_huge_pages(
        &self,
        size: usize,
        len: usize,
        noreserve: bool,
    ) -> Result<HugePages, Errno> {
        let reserved = if noreserve { 0 } else { len / size };
        if reserved > 0 {
            if self.exceeds_reservations(size, reserved) || reserved > self.spare_huge_pages(size) {
                return Err(Errno::ENOMEM);
            }
            let pool = self.pool(size);
            let is_made = pool.resident + pool.reserved + reserved > pool.pages;
            assert!(
                !is_made || size <= LARGEST_TOUCHED,
                "the program lets the kernel make a huge page of {} MiB",
                size / MIB
            );
        }
        Ok(HugePages { size, reserved })
    }

    /// Whether more reserved pages of the process exceed `rsvd.max`.
    fn exceeds_reservations(&self, size: usize, more: usize) -> bool {
        let own = self.areas.by_start.values().filter_map(|area| area.huge);
        let own: usize = own.filter(|huge| huge.size == size).map(|huge| huge.reserved).sum();
        self.rules.hugetlb.rsvd_max.is_some_and(|max| own + more > max)
    }

    /// `alloc_hugetlb_folio`: whether the pool has a page for a fault, and the cgroup permits it.
    /// Panics if the page is large.
    pub(crate) fn may_fault_in_huge_page(&self, area: &Area, huge: HugePages) -> bool {
        let is_reserved = area.resident.len() < huge.reserved;
        let resident = self.pool(huge.size).resident;
        if self.rules.hugetlb.max.is_some_and(|max| resident >= max) {
            return false;
        }
        // A page without a reservation is charged to both limits.
        let is_spare = self.spare_huge_pages(huge.size) > 0;
        if !is_reserved && (!is_spare || self.exceeds_reservations(huge.size, 1)) {
            return false;
        }
        assert!(
            huge.size <= LARGEST_TOUCHED,
            "the program touches a huge page of {} MiB",
            huge.size / MIB
        );
        true
    }

    /// The content of a file about a pool, such as `hugepages-2048kB/free_hugepages`:
    /// `mm/hugetlb_sysfs.c`.
    pub(crate) fn huge_pages_file(&self, name: &str) -> Option<String> {
        let (directory, file) = name.split_once('/')?;
        let kilobytes = directory.strip_prefix("hugepages-")?.strip_suffix("kB")?;
        let size = kilobytes.parse::<usize>().ok()? << 10;
        if self.rules.hugetlb.no_sys || !self.rules.huge_sizes.contains(&size.ilog2()) {
            return None;
        }
        let pool = self.pool(size);
        let number = match file {
            "nr_hugepages" => pool.pages,
            "free_hugepages" => pool.pages.saturating_sub(pool.resident),
            "resv_hugepages" => pool.reserved,
            "nr_overcommit_hugepages" => self.rules.hugetlb.overcommit,
            _ => return None,
        };
        Some(format!("{number}\n"))
    }
}
