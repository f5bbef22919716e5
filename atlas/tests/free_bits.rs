//! Free bits of several kernels, and bits that are unusable for a new flag.

use atlas::columns::{Column, gather};
use atlas::document::Rejected;
use atlas::free;
use atlas::input::{Located, Location};
use atlas::schema::Schemas;
use atlas::unusable::{self, Acceptance, Part, Unusable};
use mapprobe::arch::Arch;
use mapprobe::request::Query;
use serde_json::{Value, json};
use std::path::Path;

mod documents;

/// The keys that all documents share.
fn header(arch: &str, present: bool, mask: &str) -> Value {
    json!({
        "tool": {"name": "mapprobe", "version": "0.1.0", "arch": arch},
        "kernel": {"sysname": "Linux", "release": "1", "version": "#1", "machine": arch},
        "process": {"pid": 1, "euid": 0, "page_size": 4096, "time": 0},
        "environment": [],
        "validation": {"present": present, "type_mask": mask},
        "complete": true,
    })
}

fn empty(arch: Arch, kernel: &str) -> Column {
    Column {
        arch,
        kernel: kernel.into(),
        scenario: "root".into(),
        origin: None,
        source: None,
        report: None,
        free_bits: None,
        sweep: None,
    }
}

/// A column with a list of free bits.
fn free_bits(kernel: &str, present: bool, validate: &[u32], any: &[u32], types: &[u32]) -> Column {
    let mut document = header("x86_64", present, "0xf");
    document["with_map_shared_validate"] = json!(validate);
    document["with_any_map_type"] = json!(any);
    document["map_types"] = json!(types);
    Column {
        free_bits: Some(serde_json::from_value(document).unwrap()),
        ..empty(Arch::X86_64, kernel)
    }
}

/// A column with a sweep of some contexts: map type, backing, and the outcomes without an
/// additional bit and with each of the bits 0 to 5.
fn sweep(kernel: &str, mask: &str, contexts: &[(&str, &str, [&str; 7])]) -> Column {
    let mut document = header("hppa", true, mask);
    let context = |(map_type, backing, outcomes): &(&str, &str, [&str; 7])| {
        let (base, bits) = (outcomes[0], &outcomes[1..]);
        json!({"type": map_type, "backing": backing, "base": base, "bits": bits})
    };
    document["sweep"] = contexts.iter().map(context).collect();
    document["types"] = json!([]);
    Column { sweep: Some(serde_json::from_value(document).unwrap()), ..empty(Arch::Hppa, kernel) }
}

fn names<'a>(columns: &[&'a Column]) -> Vec<&'a str> {
    columns.iter().map(|column| column.kernel.as_str()).collect()
}

fn acceptances<'a>(accepted_by: &'a [Acceptance]) -> Vec<(&'a str, Option<&'a str>)> {
    accepted_by
        .iter()
        .map(|acceptance| (acceptance.kernel.kernel.as_str(), acceptance.condition.as_deref()))
        .collect()
}

#[test]
fn free_bits_are_free_on_every_kernel() {
    let columns = [
        free_bits("x86_64-1", true, &[6, 7, 9], &[40], &[4, 5, 9]),
        free_bits("x86_64-2", true, &[7, 9, 10], &[40, 41], &[5, 9]),
        free_bits("x86_64-3", true, &[5, 7, 9], &[], &[0, 5, 9]),
        empty(Arch::X86_64, "x86_64-4"),
        Column { arch: Arch::Aarch64, ..free_bits("aarch64-1", true, &[1], &[1], &[1]) },
    ];
    let columns: Vec<&Column> = columns.iter().collect();
    let free = free::on_all(Arch::X86_64, &columns).unwrap();
    let kernels: Vec<&Column> = free.kernels.iter().map(|(column, _)| *column).collect();
    assert_eq!(names(&kernels), ["x86_64-1", "x86_64-2", "x86_64-3"]);
    let expected = Rejected {
        with_map_shared_validate: vec![7, 9],
        with_any_map_type: vec![],
        map_types: vec![5, 9],
    };
    assert_eq!(free.rejected, expected);
    assert!(free.without_validate.is_empty());
    assert!(free::on_all(Arch::Hppa, &columns).is_none());
}

#[test]
fn kernels_without_map_shared_validate_do_not_restrict_its_free_bits() {
    let columns = [
        free_bits("x86_64-4.10", false, &[], &[], &[4]),
        free_bits("x86_64-5", true, &[7, 9], &[], &[4, 5]),
        free_bits("x86_64-6", true, &[9], &[], &[4, 5]),
    ];
    let columns: Vec<&Column> = columns.iter().collect();
    let free = free::on_all(Arch::X86_64, &columns).unwrap();
    assert_eq!(free.rejected.with_map_shared_validate, [9]);
    assert_eq!(free.rejected.map_types, [4]);
    assert_eq!(names(&free.without_validate), ["x86_64-4.10"]);
    let single = free::on_all(Arch::X86_64, &columns[..1]).unwrap();
    assert_eq!(single.rejected.with_map_shared_validate, Vec::<u32>::new());
}

const OK: &str = "accepted";
const NO: &str = "EINVAL";

#[test]
fn unusable_bits_are_rejected_by_the_newest_and_accepted_by_an_older_kernel() {
    // Bits 0 and 1 select other map types, bit 2 is MAP_FIXED, bit 4 is MAP_ANONYMOUS. Bits 3 and
    // 5 are unassigned.
    let old = [
        ("MAP_SHARED", "memfd", [OK, OK, NO, OK, OK, OK, "EBADF"]),
        ("MAP_PRIVATE", "memfd", [OK, NO, OK, OK, "elsewhere", OK, "EBADF"]),
    ];
    let new = [
        ("MAP_SHARED", "memfd", [OK, OK, NO, OK, NO, OK, NO]),
        ("MAP_PRIVATE", "memfd", [OK, NO, OK, OK, NO, OK, NO]),
        ("MAP_PRIVATE", "pipe", ["ENODEV", NO, "ENODEV", OK, NO, OK, NO]),
        // Not considered: MAP_DROPPABLE contains bit 3, and MAP_SHARED_VALIDATE always fails.
        ("MAP_DROPPABLE", "memfd", [OK, OK, OK, OK, OK, OK, NO]),
        ("MAP_SHARED_VALIDATE", "anonymous", [NO, NO, NO, NO, NO, NO, NO]),
    ];
    let columns = [sweep("hppa-1", "0x3", &old), sweep("hppa-2", "0xb", &new)];
    let columns: Vec<&Column> = columns.iter().collect();
    let found = unusable::on_newest(Arch::Hppa, &columns);
    assert_eq!(found.iter().map(Unusable::values_text).collect::<Vec<_>>(), ["bit 0x08"]);
    assert_eq!(
        acceptances(&found[0].accepted_by),
        [("hppa-1", Some("with MAP_SHARED, MAP_PRIVATE"))]
    );
    assert_eq!(names(&found[0].rejected_by), ["hppa-2"]);
    // A pipe that fails with ENODEV has passed the check of the flags: the bit is not rejected.
    let mut passing = new;
    passing[2].2[4] = "ENODEV";
    let passing = sweep("hppa-3", "0xb", &passing);
    assert!(unusable::on_newest(Arch::Hppa, &[columns[0], &passing]).is_empty());
    // Neither a bit that only the older kernel rejects nor a single kernel is reported.
    let reversed: Vec<&Column> = columns.iter().rev().copied().collect();
    assert!(unusable::on_newest(Arch::Hppa, &reversed).is_empty());
    assert!(unusable::on_newest(Arch::Hppa, &columns[1..]).is_empty());
}

/// The columns of recorded and simulated kernels, from the documents of some queries.
fn gathered(kernels: &[&str], queries: &[Query]) -> Vec<Column> {
    let location = || Location { file: "recording".into(), line: 1 };
    let recorded = kernels
        .iter()
        .flat_map(|kernel| queries.iter().map(|query| documents::envelope(kernel, *query)))
        .map(|value| Located { location: location(), value });
    let is_wanted = |document: &Located| {
        let schema = &document.value["document"]["schema"];
        queries.iter().any(|query| *schema == format!("mapprobe.{}", query.command()))
    };
    let simulated = atlas::simulated::documents().unwrap();
    let all: Vec<Located> = simulated.into_iter().filter(is_wanted).chain(recorded).collect();
    gather(&Schemas::load().unwrap(), &all).unwrap()
}

/// The sweep of 4.15 shows that `MAP_SHARED` and `MAP_PRIVATE` together are a map type. A newer
/// kernel of which only the report is known does not make them unusable.
#[test]
fn the_bits_of_the_named_map_types_are_not_unusable() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../probe/tests/recordings/old");
    let mut all = atlas::recordings::documents(&directory).unwrap();
    let location = Location { file: "recording".into(), line: 1 };
    let value = documents::envelope("x86_64-7.x", Query::Report);
    all.push(Located { location, value });
    let columns = gather(&Schemas::load().unwrap(), &all).unwrap();
    let columns: Vec<&Column> = columns.iter().collect();
    assert!(columns.iter().any(|column| column.kernel == "x86_64-4.15"));
    let found = unusable::on_newest(Arch::X86_64, &columns);
    assert!(found.is_empty(), "{found:?}");
}

/// On PA-RISC up to 4.15, bit 0x08 was not part of the map type field, so the kernel accepted and
/// ignored it. The discussion of `MAP_SHARED_VALIDATE` found this; each kind of document shows it.
#[test]
fn bit_0x08_is_unusable_on_parisc() {
    for (queries, condition) in [
        (&Query::ALL[..], "with MAP_SHARED, MAP_PRIVATE"),
        (&[Query::Sweep], "with MAP_SHARED, MAP_PRIVATE"),
        (&[Query::Report], "with MAP_SHARED"),
        (&[Query::FreeBits], "with MAP_SHARED"),
    ] {
        let columns = gathered(&documents::KERNELS, queries);
        let columns: Vec<&Column> = columns.iter().collect();
        let found = unusable::on_newest(Arch::Hppa, &columns);
        let bit = found
            .iter()
            .find(|unusable| unusable.part == Part::Bit && unusable.values == [0x08])
            .unwrap_or_else(|| panic!("{queries:?}: {found:?}"));
        let expected = [("hppa-4.10", Some(condition))];
        assert_eq!(acceptances(&bit.accepted_by), expected, "{queries:?}");
        assert_eq!(names(&bit.rejected_by), ["hppa-5.10", "hppa64-6.12"]);
        assert_eq!(bit.name(), Some("MAP_DROPPABLE"));
        // On other architectures the map type field always had today's width.
        assert!(unusable::on_newest(Arch::X86_64, &columns).is_empty(), "{queries:?}");
        assert!(unusable::on_newest(Arch::Aarch64, &columns).is_empty(), "{queries:?}");
        let map_types = found
            .iter()
            .filter(|unusable| unusable.part == Part::MapType)
            .flat_map(|unusable| &unusable.values);
        let expected: &[u64] =
            if queries == [Query::Report] { &[] } else { &[0x9, 0xa, 0x21, 0x22, 0x29, 0x2a] };
        assert_eq!(map_types.copied().collect::<Vec<_>>(), expected, "{queries:?}");
    }
    // Only the old kernel accepted it.
    let columns = gathered(&documents::KERNELS, &Query::ALL);
    let columns: Vec<&Column> =
        columns.iter().filter(|column| column.kernel != "hppa-4.10").collect();
    assert!(unusable::on_newest(Arch::Hppa, &columns).is_empty());
}
