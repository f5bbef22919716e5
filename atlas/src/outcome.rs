//! What a command comes to: what it prints, what it complains about, and its exit code.

/// Exit code: all is as it should be.
pub const SAME: u8 = 0;
/// Exit code: something is not valid, or not the same.
pub const DIFFERENT: u8 = 1;
/// Exit code: wrong arguments, or the question could not be answered.
pub const TROUBLE: u8 = 2;

/// The end of a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// For standard output.
    pub text: String,
    /// Sentences for standard error.
    pub complaints: Vec<String>,
    /// One of the codes above.
    pub exit: u8,
}
