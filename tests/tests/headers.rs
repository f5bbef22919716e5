//! The flag table against the headers of the newest kernel in Debian: every name of the headers is
//! a row with the same value or is left out for a reason, and every row with a value is in the
//! headers.

use lab::headers::{Definition, definitions};
use lab::library;
use mapprobe::arch::Arch;
use mapprobe::flags::{Flag, LEFT_OUT};

#[test]
fn the_table_agrees_with_the_headers() {
    let mut wrong = Vec::new();
    for arch in Arch::ALL {
        let defined = definitions(arch).unwrap();
        assert!(
            defined.contains_key("MAP_FIXED"),
            "the headers of {} were not read: {defined:?}",
            arch.name()
        );
        let arch_name = arch.name();
        for flag in Flag::ALL {
            let header = flag.header(arch).map(|header| header.path());
            match (flag.value(arch), defined.get(flag.name())) {
                (None, None) => {}
                (None, Some(Definition { value: 0, .. })) => {}
                (Some(ours), Some(Definition { value, header: theirs }))
                    if ours as u64 == *value && header == Some(theirs) => {}
                (ours, theirs) => wrong.push(format!(
                    "{arch_name} {}: {ours:x?} in {header:?}, {theirs:x?}",
                    flag.name()
                )),
            }
        }
        let row = |name: &str| library::flag_names().any(|flag| flag == name);
        let left_out = |name: &str| LEFT_OUT.iter().any(|(left, _)| *left == name);
        for (name, definition) in &defined {
            if !row(name) && !left_out(name) {
                wrong.push(format!(
                    "{arch_name} {name}: neither a row nor omitted; in the headers {definition:x?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "table first, then headers:\n{}", wrong.join("\n"));
}

#[test]
fn an_omitted_name_is_not_a_row_and_has_a_reason() {
    for (name, reason) in LEFT_OUT {
        assert!(library::flag_names().all(|flag| flag != *name), "{name} is a row and omitted");
        assert!(reason.len() > 10, "{name}: {reason:?} is too short");
    }
}
