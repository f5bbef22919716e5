//! The kernels of the lab, listed in `kernels/rows.rs`, and how their images are obtained.

pub(crate) mod build;
mod kernel;
mod modules;
mod rows;

pub use kernel::{Image, Kernel, Origin};
pub use rows::ALL;

use anyhow::{Context, Result};

/// The kernel with a name.
pub fn named(name: &str) -> Result<&'static Kernel> {
    let known = || ALL.iter().map(|kernel| kernel.name).collect::<Vec<_>>().join(", ");
    ALL.iter()
        .find(|kernel| kernel.name == name)
        .with_context(|| format!("No kernel of the lab is called {name}; there are: {}.", known()))
}
