//! How a report looks.

/// How a report looks, beside its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style {
    /// The beginning of names in formats that define names.
    pub prefix: String,
    /// Whether verdicts are coloured.
    pub colour: bool,
}

impl Style {
    pub const DEFAULT_PREFIX: &'static str = "MAPPROBE_";
}

impl Default for Style {
    fn default() -> Style {
        Style { prefix: Style::DEFAULT_PREFIX.to_owned(), colour: false }
    }
}
