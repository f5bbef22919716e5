//! `nfd`, checked against the rules of feature files (node feature discovery's customization guide,
//! "Local feature source") and of labels (Kubernetes' concepts, "Labels and Selectors": syntax and
//! character set). Debian has no program that reads it.

use super::*;
use regex_lite::Regex;
use std::collections::BTreeSet;

/// The size limit of a feature file in bytes; larger files are ignored.
const MAX_BYTES: usize = 64_000;

/// The violations in a feature file.
fn violations(text: &str) -> Vec<String> {
    let subdomain =
        Regex::new(r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$").unwrap();
    let word = Regex::new(r"^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$").unwrap();
    let mut violations = Vec::new();
    let mut keys = BTreeSet::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut check = |holds: bool, rule: &str| {
            if !holds {
                violations.push(format!("{rule}: {line:?}"));
            }
        };
        if line.starts_with('#') {
            check(
                !line.trim_start_matches(['#', ' ']).starts_with('+'),
                "a comment that is a directive",
            );
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, "true"));
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        check(
            namespace.len() <= 253 && subdomain.is_match(namespace),
            "a namespace is a DNS subdomain",
        );
        let reserved = namespace == "kubernetes.io" || namespace.ends_with(".kubernetes.io");
        check(
            !reserved || namespace.ends_with(".feature.node.kubernetes.io"),
            "a namespace that is not given away",
        );
        check(name.len() <= 63 && word.is_match(name), "a name has at most 63 letters");
        check(
            value.len() <= 63 && (value.is_empty() || word.is_match(value)),
            "a value has at most 63 letters",
        );
        check(keys.insert(key.to_owned()), "a key stands there once");
    }
    if text.len() >= MAX_BYTES {
        violations.push(format!("{} bytes", text.len()));
    }
    violations
}

#[test]
fn feature_files_follow_the_rules() {
    for kernel in kernels() {
        let text = kernel.text(&["--format", "nfd"]);
        assert_eq!(violations(&text), [""; 0], "{}", kernel.name);
        assert_eq!(
            text.lines().filter(|line| !line.starts_with('#')).count(),
            kernel.verdicts().len() + kernel.pages().len()
        );
    }
}

#[test]
fn every_rule_rejects_a_violation() {
    let long = format!("x.io/{}=a", "n".repeat(64));
    let large = "# \n".repeat(MAX_BYTES / 3 + 1);
    for wrong in [
        "# +expiry-time=2026-01-01T00:00:00Z",
        "A.io/n=a",
        "n=a",
        "node.kubernetes.io/n=a",
        "x.io/_n=a",
        "x.io/n=a b",
        "x.io/n=a\nx.io/n=b",
        &long,
        &large,
    ] {
        assert_eq!(violations(wrong).len(), 1, "{wrong:.80}");
    }
    assert_eq!(violations("# a comment\nvendor.io/my-feature.2=my_value\nvendor.io/on\n"), [""; 0]);
}
