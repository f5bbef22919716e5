//! Debian's real archive, through this machine's mirror.

use dist::cache::Cache;
use dist::debian::{Mirror, unpack};

/// The C library of the aarch64 program.
#[test]
fn musl_for_arm64_is_found_fetched_and_unpacked() {
    let (cache, mirror) = (Cache::open().unwrap(), Mirror::from_apt().unwrap());
    let index = mirror.index(&cache, &mirror.suite, "arm64").unwrap();
    let package = index.newest("musl-dev").unwrap();
    assert_eq!(package.arch, "arm64");
    let directory = unpack(&cache, &[&package], "usr").unwrap();
    assert!(
        directory.join("usr/lib/aarch64-linux-musl/libc.a").is_file(),
        "{}",
        directory.display()
    );

    let error = index.newest("linux-image-0.1-*").unwrap_err().to_string();
    assert!(error.contains("No package linux-image-0.1-*"), "{error}");
    let error = mirror.index(&cache, &mirror.suite, "pdp11").unwrap_err().to_string();
    assert!(error.contains("no architecture pdp11"), "{error}");
    let error = format!("{:#}", mirror.index(&cache, "no-such-suite", "arm64").unwrap_err());
    assert!(error.contains("has no suite no-such-suite"), "{error}");
}
