//! The simulated kernel: its rules and its state.

use crate::areas::{Areas, PageCount};
use crate::files::Files;
use crate::rules::Rules;
use kernel::{Fd, Op, SysResult};
use std::collections::BTreeMap;

/// A call that is not executed and returns a given result instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The index of the call, from 0.
    pub call: usize,
    pub result: SysResult,
}

/// A simulated kernel with one process.
#[derive(Clone, Debug)]
pub struct SimulatedKernel {
    pub rules: Rules,
    /// Everything that was written to standard output and standard error.
    pub output: Vec<u8>,
    /// Every call so far.
    pub log: Vec<Op>,
    pub fault: Option<Fault>,
    /// The highest number of resident pages so far: anonymous memory, copies, and cached pages of
    /// files in use, without huge pages.
    pub max_resident: usize,
    /// The highest number of pages inside huge pages so far.
    pub max_huge: usize,
    pub(crate) areas: Areas,
    pub(crate) files: Files,
    /// The content of unmapped memory, where the kernel does not clear it.
    pub(crate) freed: BTreeMap<usize, u8>,
}

impl SimulatedKernel {
    /// A kernel with a new process: only its image and its stack are mapped.
    pub fn new(rules: Rules) -> SimulatedKernel {
        SimulatedKernel {
            areas: Areas::of_new_process(&rules.space.preexisting),
            files: Files::new(rules.page_size),
            rules,
            output: Vec::new(),
            log: Vec::new(),
            fault: None,
            max_resident: 0,
            max_huge: 0,
            freed: BTreeMap::new(),
        }
    }

    /// The number of mappings that the program created.
    pub fn mapping_count(&self) -> usize {
        self.areas.created().count()
    }

    /// The number of descriptors that the program opened.
    pub fn descriptor_count(&self) -> usize {
        self.files.open.len()
    }

    /// What the program created and did not remove: mappings, descriptors, named files.
    pub fn leftovers(&self) -> Vec<String> {
        let mappings = self
            .areas
            .created()
            .map(|(start, area)| format!("mapping {start:#x}-{:#x} prot {}", area.end, area.prot));
        let descriptors = self.files.open.iter().map(|(fd, open)| {
            let kind = self.files.nodes[open.node].kind;
            format!("descriptor {fd}: {kind:?}")
        });
        let created = self.files.nodes.iter().filter(|node| node.created);
        let files = created.filter_map(|node| Some(format!("file {}", node.path.as_ref()?)));
        let touched = self.files.nodes.iter().filter(|node| node.touched && !node.created);
        let touched = touched.filter_map(|node| Some(format!("pages of {}", node.path.as_ref()?)));
        mappings.chain(descriptors).chain(files).chain(touched).collect()
    }

    /// `ftruncate(2)`, which is not among the calls of the boundary.
    pub fn truncate(&mut self, fd: Fd, size: usize) {
        let node = self.files.open[&fd].node;
        self.files.nodes[node].size = size;
    }

    /// The memory in use.
    pub(crate) fn resident(&self) -> PageCount {
        let areas = || self.areas.by_start.values();
        let own_pages: PageCount = areas().map(|area| area.own_pages(self.rules.page_size)).sum();
        let is_used = |node: usize| {
            let mapped = areas().any(|area| area.file.is_some_and(|file| file.node == node));
            mapped || self.files.open.values().any(|open| open.node == node)
        };
        let nodes = self.files.nodes.iter().enumerate();
        let cached = nodes.filter(|(index, node)| !node.cache.is_empty() && is_used(*index));
        let cached_pages: usize = cached.map(|(_, node)| node.cache.len()).sum();
        PageCount { single: own_pages.single + cached_pages, ..own_pages }
    }
}
