//! Invented reports.

use super::*;
use crate::kernels;
use serde_json::json;

/// A report that agrees with the `since` of every flag, with some verdicts replaced.
fn report(release: &str, arch: Arch, replaced: &[(&str, &str)]) -> Value {
    let found = series(release).unwrap();
    let flags: Vec<Value> = Flag::ALL
        .iter()
        .map(|flag| {
            let Version([major, minor, _]) = flag.since();
            let introduced = (u32::from(major), u32::from(minor)) <= found;
            let verdict = match flag.value(arch) {
                None => "absent",
                Some(_) if introduced => "honored",
                Some(_) => "unknown",
            };
            let other = replaced.iter().find(|(name, _)| *name == flag.name());
            let verdict = other.map_or(verdict, |(_, other)| other);
            json!({"name": flag.name(), "verdict": verdict})
        })
        .collect();
    json!({"kernel": {"release": release}, "flags": flags})
}

/// The flags in which a report contradicts the flag table.
fn contradicted(release: &str, arch: Arch, replaced: &[(&str, &str)]) -> Vec<String> {
    let all = Exceptions::read().unwrap().compare(
        &report(release, arch, replaced),
        arch,
        series(release).unwrap(),
    );
    all.into_iter().map(|one| one.flag).collect()
}

#[test]
fn releases_have_a_series() {
    assert_eq!(series("8.0.0-1-amd64"), Some((8, 0)));
    assert_eq!(series("6.12.107+deb13-cloud-amd64"), Some((6, 12)));
    assert_eq!(series("7.2"), Some((7, 2)));
    assert!(series("6.12") > series("6.2"));
    for unknown in ["", "8", "next-20261122", "v8.0"] {
        assert_eq!(series(unknown), None, "{unknown}");
    }
}

#[test]
fn a_newer_kernel_that_honors_every_flag_agrees() {
    for arch in Arch::ALL {
        assert_eq!(contradicted("8.0.1", arch, &[]), [""; 0]);
    }
}

#[test]
fn an_introduced_flag_must_not_be_unknown_or_ignored() {
    let wrong = [("MAP_DROPPABLE", "unknown"), ("MAP_LOCKED", "ignored")];
    assert_eq!(contradicted("8.0.1", Arch::X86_64, &wrong), ["MAP_DROPPABLE", "MAP_LOCKED"]);
    let weak = [
        ("MAP_DROPPABLE", "unavailable"),
        ("MAP_LOCKED", "inconclusive"),
        ("MAP_ABOVE4G", "accepted"),
    ];
    assert_eq!(contradicted("8.0.1", Arch::X86_64, &weak), [""; 0]);
}

#[test]
fn a_flag_of_a_later_version_must_not_be_honored() {
    assert_eq!(contradicted("6.10.0", Arch::X86_64, &[]), [""; 0]);
    assert_eq!(
        contradicted("6.10.0", Arch::X86_64, &[("MAP_DROPPABLE", "honored")]),
        ["MAP_DROPPABLE"]
    );
    assert_eq!(
        contradicted("6.5.0", Arch::X86_64, &[("MAP_ABOVE4G", "accepted")]),
        ["MAP_ABOVE4G"]
    );
    assert_eq!(contradicted("6.10.0", Arch::X86_64, &[("MAP_DROPPABLE", "inconclusive")]), [""; 0]);
}

#[test]
fn a_flag_is_absent_if_and_only_if_the_architecture_lacks_it() {
    assert_eq!(contradicted("8.0", Arch::Hppa, &[("MAP_SYNC", "unknown")]), ["MAP_SYNC"]);
    assert_eq!(contradicted("8.0", Arch::X86_64, &[("MAP_SYNC", "absent")]), ["MAP_SYNC"]);
}

#[test]
fn an_exception_allows_one_verdict_of_one_flag() {
    assert_eq!(contradicted("8.0", Arch::X86_64, &[("MAP_DENYWRITE", "ignored")]), [""; 0]);
    assert_eq!(
        contradicted("8.0", Arch::X86_64, &[("MAP_DENYWRITE", "unknown")]),
        ["MAP_DENYWRITE"]
    );
    for wrong in [
        "[[exceptions]]\nflag = \"MAP_NEW\"\nverdict = \"ignored\"\nreason = \"x\"",
        "[[exceptions]]\nflag = \"MAP_STACK\"\nverdict = \"ignored\"\nreason = \" \"",
        "[[exceptions]]\nflag = \"MAP_STACK\"\nverdict = \"ignored\"",
    ] {
        assert!(Exceptions::parse(wrong).is_err(), "{wrong}");
    }
}

/// The flag table and the expectations were written independently of each other.
#[test]
fn the_expectations_agree_with_the_table_and_need_every_exception() {
    let exceptions = Exceptions::read().unwrap();
    let mut needed = vec![false; exceptions.exceptions.len()];
    for kernel in kernels::ALL {
        let expectations = Expectations::of(kernel.name).unwrap();
        let found = series(&expectations.release).unwrap();
        for &flag in Flag::ALL {
            let verdict = expectations.flags[flag.name()].verdict.as_str();
            let wrong = exceptions.contradiction(flag, kernel.arch, found, verdict);
            assert_eq!(wrong, None, "{}: {} is {verdict}", kernel.name, flag.name());
            let none = Exceptions { exceptions: Vec::new() };
            if none.contradiction(flag, kernel.arch, found, verdict).is_some() {
                let at = exceptions
                    .exceptions
                    .iter()
                    .position(|one| one.flag == flag.name() && one.verdict == verdict);
                needed[at.unwrap()] = true;
            }
        }
    }
    assert!(needed.iter().all(|needed| *needed), "{:?}: {needed:?}", exceptions.exceptions);
}

#[test]
fn expectations_apply_only_to_their_own_series() {
    let expectations = Expectations::of("x86_64-7.x").unwrap();
    let basis = |release: &str, replaced: &[(&str, &str)]| {
        let (basis, differences) =
            compare(&report(release, Arch::X86_64, replaced), &expectations, Arch::X86_64, (7, 2))
                .unwrap();
        (basis, differences.len())
    };
    assert_eq!(basis("8.0.0-1-amd64", &[]), (Basis::New((8, 0)), 0));
    assert_eq!(basis("8.0.0-1-amd64", &[("MAP_SYNC", "ignored")]), (Basis::New((8, 0)), 1));
    assert_eq!(basis("6.18.1", &[]), (Basis::OtherSeries((6, 18)), 0));
    assert_eq!(basis("7.2.13", &[]).0, Basis::Expectations);
    assert!(
        basis("7.2.13", &[]).1 > 0,
        "a kernel on which everything is honored is not what the expectations say"
    );
    assert!(
        compare(&json!({"kernel": {"release": "next"}}), &expectations, Arch::X86_64, (7, 2))
            .is_err()
    );
    let shown = Basis::New((8, 0)).to_string();
    assert!(shown.contains("8.0 is new"), "{shown}");
}
