//! Builds and packages.
