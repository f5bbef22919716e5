//! Requirements: `FLAG` or `FLAG:PATH`.

use crate::flags::Flag;
use crate::reference::suggest::nearest;

/// A flag that must be honored, on a file if one is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    pub flag: Flag,
    pub path: Option<String>,
}

impl Requirement {
    /// Parses `FLAG` or `FLAG:PATH`. Names of flags hold no colon, paths may.
    pub fn parse(argument: &str) -> Result<Requirement, String> {
        let (name, path) = match argument.split_once(':') {
            Some((name, path)) => (name, Some(path.to_owned())),
            None => (argument, None),
        };
        Ok(Requirement { flag: parse_flag(name)?, path })
    }
}

/// Whether requirements are met. A later variant prevails over an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    Yes,
    /// At least one is inconclusive; the others are met.
    Undecided,
    /// At least one is not met.
    No,
}

/// What `mapprobe require` demands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Require {
    pub requirements: Vec<Requirement>,
    /// Whether an undecided requirement counts as met.
    pub allow_inconclusive: bool,
    /// Whether the kernel's support suffices where no huge page can be had now.
    pub support_only: bool,
}

impl Require {
    /// Adds the paths of the requirements to those that are probed.
    pub fn add_paths(&self, paths: &mut Vec<String>) {
        for path in self.requirements.iter().filter_map(|requirement| requirement.path.as_ref()) {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
    }
}

/// Parses the name of a flag. The error names the nearest one.
pub fn parse_flag(name: &str) -> Result<Flag, String> {
    if let Some(flag) = Flag::from_name(name) {
        return Ok(flag);
    }
    // The prefix may be missing: `sync` is meant as MAP_SYNC.
    let has_prefix = name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("MAP_"));
    let missing_prefix = if has_prefix { "" } else { "MAP_" };
    let mut names = Vec::new();
    for flag in Flag::ALL {
        if let Some(name) = flag.name().strip_prefix(missing_prefix) {
            names.push(name);
        }
    }
    Err(match nearest(name, &names) {
        Some(nearest) => format!("no flag {name}; did you mean {missing_prefix}{nearest}?"),
        None => format!("no flag {name}; `mapprobe list` lists them"),
    })
}
