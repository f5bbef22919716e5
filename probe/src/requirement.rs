//! A requirement: `FLAG` or `FLAG:PATH`.

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

/// Parses the name of a flag. The error names the nearest one.
pub fn parse_flag(name: &str) -> Result<Flag, String> {
    if let Some(flag) = Flag::from_name(name) {
        return Ok(flag);
    }
    let without_prefix = |name: &'static str| name.strip_prefix("MAP_").unwrap_or(name);
    let word = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("MAP_") => name.get(4..).unwrap_or_default(),
        _ => name,
    };
    let names = Flag::ALL.iter().map(|flag| without_prefix(flag.name()));
    Err(match nearest(word, names) {
        Some(nearest) => format!("no flag {name}; did you mean MAP_{nearest}?"),
        None => format!("no flag {name}; `mapprobe list` lists them"),
    })
}
