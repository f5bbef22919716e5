//! Builds and packages.
fn main() {}
