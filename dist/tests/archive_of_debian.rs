//! Debian's real archive, through this machine's mirror.

use dist::cache::Cache;
use dist::debian::{Mirror, unpack};

/// What the aarch64 program is linked with.
#[test]
fn musl_for_arm64_is_found_fetched_and_unpacked() {
    let (cache, mirror) = (Cache::open().unwrap(), Mirror::from_apt().unwrap());
    let index = mirror.index(&cache, &mirror.suite, "arm64").unwrap();
    let package = index.newest("musl-dev").unwrap();
    assert_eq!(package.arch, "arm64");
    let folder = unpack(&cache, &[&package], "usr").unwrap();
    assert!(folder.join("usr/lib/aarch64-linux-musl/libc.a").is_file(), "{}", folder.display());

    let refusal = index.newest("linux-image-0.1-*").unwrap_err().to_string();
    assert!(refusal.contains("No package linux-image-0.1-*"), "{refusal}");
    let refusal = mirror.index(&cache, &mirror.suite, "pdp11").unwrap_err().to_string();
    assert!(refusal.contains("no architecture pdp11"), "{refusal}");
    let refusal = format!("{:#}", mirror.index(&cache, "no-such-suite", "arm64").unwrap_err());
    assert!(refusal.contains("has no suite no-such-suite"), "{refusal}");
}
