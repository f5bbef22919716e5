//! The experiments: one per flag, grouped in files by what the flags affect. To add one, write an
//! [`Experiment`] and add it to [`of`].

use crate::experiment::Experiment;
use crate::flags::Flag;

mod file_backed;
mod fresh_memory;
pub mod growth;
mod huge_availability;
mod huge_mapping;
mod huge_pages;
mod map_types;
pub mod noreserve;
mod placement;
mod recognition;
pub mod residency;
pub mod smaps;

/// The experiment of a flag.
pub fn of(flag: Flag) -> &'static Experiment {
    match flag {
        Flag::MAP_SHARED => &map_types::MAP_SHARED,
        Flag::MAP_PRIVATE => &map_types::MAP_PRIVATE,
        Flag::MAP_SHARED_VALIDATE => &map_types::MAP_SHARED_VALIDATE,
        Flag::MAP_DROPPABLE => &fresh_memory::MAP_DROPPABLE,
        Flag::MAP_FIXED => &placement::MAP_FIXED,
        Flag::MAP_ANONYMOUS => &map_types::MAP_ANONYMOUS,
        Flag::MAP_32BIT => &placement::MAP_32BIT,
        Flag::MAP_ABOVE4G => &placement::MAP_ABOVE4G,
        Flag::MAP_GROWSDOWN => &growth::MAP_GROWSDOWN,
        Flag::MAP_DENYWRITE => &file_backed::MAP_DENYWRITE,
        Flag::MAP_EXECUTABLE => &file_backed::MAP_EXECUTABLE,
        Flag::MAP_LOCKED => &residency::MAP_LOCKED,
        Flag::MAP_NORESERVE => &noreserve::MAP_NORESERVE,
        Flag::MAP_POPULATE => &residency::MAP_POPULATE,
        Flag::MAP_NONBLOCK => &residency::MAP_NONBLOCK,
        Flag::MAP_STACK => &growth::MAP_STACK,
        Flag::MAP_HUGETLB => &huge_pages::MAP_HUGETLB,
        Flag::MAP_SYNC => &file_backed::MAP_SYNC,
        Flag::MAP_FIXED_NOREPLACE => &placement::MAP_FIXED_NOREPLACE,
        Flag::MAP_UNINITIALIZED => &fresh_memory::MAP_UNINITIALIZED,
        Flag::MAP_HUGE_16KB
        | Flag::MAP_HUGE_64KB
        | Flag::MAP_HUGE_512KB
        | Flag::MAP_HUGE_1MB
        | Flag::MAP_HUGE_2MB
        | Flag::MAP_HUGE_8MB
        | Flag::MAP_HUGE_16MB
        | Flag::MAP_HUGE_32MB
        | Flag::MAP_HUGE_256MB
        | Flag::MAP_HUGE_512MB
        | Flag::MAP_HUGE_1GB
        | Flag::MAP_HUGE_2GB
        | Flag::MAP_HUGE_16GB => &huge_pages::HUGE_SIZE,
    }
}
