//! The style of a report.

/// How a report looks in its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// The beginning of the names that a format defines.
    pub prefix: String,
    /// Whether verdicts are coloured.
    pub colour: bool,
}

impl Default for Style {
    fn default() -> Style {
        Style { prefix: String::from("MAPPROBE_"), colour: false }
    }
}
