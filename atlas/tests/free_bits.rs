//! What is guaranteed to fail on several kernels, and what could not have carried a new flag.

use atlas::columns::{Column, gather};
use atlas::free;
use atlas::input::{Found, Place};
use atlas::lost::{self, Part};
use atlas::schema::Schemas;
use mapprobe::arch::Arch;
use mapprobe::cli::What;
use serde_json::{Value, json};

mod documents;

/// What every document begins with.
fn head(arch: &str, present: bool, mask: &str) -> Value {
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
        guest: "root".into(),
        made: None,
        origin: None,
        report: None,
        free_bits: None,
        sweep: None,
    }
}

/// A column with a small document, written by hand.
fn free_bits(kernel: &str, present: bool, validate: &[u32], any: &[u32], types: &[u32]) -> Column {
    let mut document = head("x86_64", present, "0xf");
    document["with_map_shared_validate"] = json!(validate);
    document["with_any_map_type"] = json!(any);
    document["map_types"] = json!(types);
    Column {
        free_bits: Some(serde_json::from_value(document).unwrap()),
        ..empty(Arch::X86_64, kernel)
    }
}

/// A column with a sweep: the answers of some map types, without a bit and then with bits 0 to 5.
fn sweep(kernel: &str, mask: &str, contexts: &[(&str, &str, [&str; 7])]) -> Column {
    let mut document = head("hppa", true, mask);
    let context = |(map_type, backing, answers): &(&str, &str, [&str; 7])| json!({"type": map_type, "backing": backing, "base": answers[0], "bits": answers[1..]});
    document["sweep"] = contexts.iter().map(context).collect();
    document["types"] = json!([]);
    Column { sweep: Some(serde_json::from_value(document).unwrap()), ..empty(Arch::Hppa, kernel) }
}

#[test]
fn free_is_what_is_free_everywhere() {
    let columns = [
        free_bits("x86_64-1", true, &[6, 7, 9], &[40], &[4, 5, 9]),
        free_bits("x86_64-2", true, &[7, 9, 10], &[40, 41], &[5, 9]),
        free_bits("x86_64-3", true, &[5, 7, 9], &[], &[0, 5, 9]),
        empty(Arch::X86_64, "x86_64-4"),
        Column { arch: Arch::Aarch64, ..free_bits("aarch64-1", true, &[1], &[1], &[1]) },
    ];
    let columns: Vec<&Column> = columns.iter().collect();
    let free = free::on_all(Arch::X86_64, &columns).unwrap();
    assert_eq!(
        free.columns.iter().map(|(column, _)| column.kernel.as_str()).collect::<Vec<_>>(),
        ["x86_64-1", "x86_64-2", "x86_64-3"]
    );
    assert_eq!(
        (free.with_map_shared_validate, free.with_any_map_type, free.map_types),
        (vec![7, 9], vec![], vec![5, 9])
    );
    assert!(free.without_validate.is_empty());
    assert!(free::on_all(Arch::Hppa, &columns).is_none());
}

/// A kernel that refuses the map type refuses every call with it: it takes no bit away, and is named.
#[test]
fn a_kernel_without_the_type_takes_no_bit_away() {
    let columns = [
        free_bits("x86_64-4.10", false, &[], &[], &[4]),
        free_bits("x86_64-5", true, &[7, 9], &[], &[4, 5]),
        free_bits("x86_64-6", true, &[9], &[], &[4, 5]),
    ];
    let columns: Vec<&Column> = columns.iter().collect();
    let free = free::on_all(Arch::X86_64, &columns).unwrap();
    assert_eq!((free.with_map_shared_validate, free.map_types), (vec![9], vec![4]));
    assert_eq!(
        free.without_validate.iter().map(|column| column.kernel.as_str()).collect::<Vec<_>>(),
        ["x86_64-4.10"]
    );
    let only = free::on_all(Arch::X86_64, &columns[..1]).unwrap();
    assert_eq!(only.with_map_shared_validate, Vec::<u32>::new());
}

const OK: &str = "accepted";
const NO: &str = "EINVAL";

#[test]
fn lost_is_what_the_newest_refuses_and_an_older_one_took() {
    // Bits 0 and 1 make other types, bit 2 is MAP_FIXED, bit 4 MAP_ANONYMOUS; bit 3 and 5 are the question.
    let old = [
        ("MAP_SHARED", "memfd", [OK, OK, NO, OK, OK, OK, "EBADF"]),
        ("MAP_PRIVATE", "memfd", [OK, NO, OK, OK, "elsewhere", OK, "EBADF"]),
    ];
    let new = [
        ("MAP_SHARED", "memfd", [OK, OK, NO, OK, NO, OK, NO]),
        ("MAP_PRIVATE", "memfd", [OK, NO, OK, OK, NO, OK, NO]),
        ("MAP_PRIVATE", "pipe", ["ENODEV", NO, "ENODEV", OK, NO, OK, NO]),
        // The bit is in its number already; and what refuses the call anyway says nothing.
        ("MAP_DROPPABLE", "memfd", [OK, OK, OK, OK, OK, OK, NO]),
        ("MAP_SHARED_VALIDATE", "anonymous", [NO, NO, NO, NO, NO, NO, NO]),
    ];
    let columns = [sweep("hppa-1", "0x3", &old), sweep("hppa-2", "0xb", &new)];
    let columns: Vec<&Column> = columns.iter().collect();
    let found = lost::on_newest(Arch::Hppa, &columns);
    let words: Vec<String> = found.iter().map(lost::Lost::words).collect();
    assert_eq!(words, ["bit 0x08"]);
    assert_eq!(
        found[0]
            .taken
            .iter()
            .map(|(column, how)| (column.kernel.as_str(), how.as_str()))
            .collect::<Vec<_>>(),
        [("hppa-1", "with MAP_SHARED, MAP_PRIVATE")]
    );
    assert_eq!(
        found[0].refused.iter().map(|column| column.kernel.as_str()).collect::<Vec<_>>(),
        ["hppa-2"]
    );
    // A pipe that answers as if the bit were not there lets it pass: it is not refused whatever is mapped.
    let mut passing = new;
    passing[2].2[4] = "ENODEV";
    let passing = sweep("hppa-3", "0xb", &passing);
    assert!(lost::on_newest(Arch::Hppa, &[columns[0], &passing]).is_empty());
    // What an older kernel refused and the newest takes is nothing to complain about, and one kernel alone says nothing.
    let reversed: Vec<&Column> = columns.iter().rev().copied().collect();
    assert!(lost::on_newest(Arch::Hppa, &reversed).is_empty());
    assert!(lost::on_newest(Arch::Hppa, &columns[1..]).is_empty());
}

/// The kernels that are in these documents, and the models.
fn gathered(kernels: &[&str], asked: &[What]) -> Vec<Column> {
    let found = kernels
        .iter()
        .flat_map(|kernel| asked.iter().map(|what| documents::envelope(kernel, *what)));
    let found =
        found.map(|value| Found { place: Place { file: "recording".into(), line: 1 }, value });
    let models = atlas::models::documents().unwrap();
    let wanted = |model: &Found| {
        asked.iter().any(|what| {
            model.value["document"]["schema"] == format!("mapprobe.{}", what.word().plain())
        })
    };
    let all: Vec<Found> = models.into_iter().filter(wanted).chain(found).collect();
    gather(&Schemas::load().unwrap(), &all).unwrap()
}

/// What the discussion that led to `MAP_SHARED_VALIDATE` came upon: on PA-RISC before 4.15 bit 0x08 was no part of the map type,
/// was taken, and forgotten. Any of the three documents shows it.
#[test]
fn on_parisc_0x08_could_not_have_carried_a_flag() {
    for (asked, how) in [
        (&What::ALL[..], "with MAP_SHARED, MAP_PRIVATE"),
        (&[What::Sweep], "with MAP_SHARED, MAP_PRIVATE"),
        (&[What::Report], "with MAP_SHARED"),
        (&[What::FreeBits], "with MAP_SHARED"),
    ] {
        let columns = gathered(&documents::KERNELS, asked);
        let columns: Vec<&Column> = columns.iter().collect();
        let found = lost::on_newest(Arch::Hppa, &columns);
        let bit = found.iter().find(|lost| lost.part == Part::Bit && lost.values == [0x08]);
        let bit = bit.unwrap_or_else(|| panic!("{asked:?}: {found:?}"));
        let taken: Vec<_> =
            bit.taken.iter().map(|(column, how)| (column.kernel.as_str(), how.as_str())).collect();
        assert_eq!(taken, [("hppa-4.10", how)], "{asked:?}");
        let refused: Vec<_> = bit.refused.iter().map(|column| column.kernel.as_str()).collect();
        assert_eq!(
            (refused, bit.name()),
            (vec!["hppa-5.10", "hppa64-6.12"], Some("MAP_DROPPABLE"))
        );
        // Elsewhere the type field was always that wide.
        assert!(lost::on_newest(Arch::X86_64, &columns).is_empty(), "{asked:?}");
        assert!(lost::on_newest(Arch::Aarch64, &columns).is_empty(), "{asked:?}");
        let types =
            found.iter().filter(|lost| lost.part == Part::MapType).flat_map(|lost| &lost.values);
        let expected: &[u64] =
            if asked == [What::Report] { &[] } else { &[0x9, 0xa, 0x21, 0x22, 0x29, 0x2a] };
        assert_eq!(types.copied().collect::<Vec<_>>(), expected, "{asked:?}");
    }
    // Without the kernel from before 4.15 there is nothing to see.
    let columns = gathered(&documents::KERNELS, &What::ALL);
    let columns: Vec<&Column> =
        columns.iter().filter(|column| column.kernel != "hppa-4.10").collect();
    assert!(lost::on_newest(Arch::Hppa, &columns).is_empty());
}
