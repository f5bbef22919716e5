//! The JSON format on simulated kernels.

use lab::library::{self, Query, Report, Rules};
use lab::report;
use mapprobe::arch::Arch;

fn run(arch: Arch, rules: Rules) -> Box<Report> {
    library::simulate(arch, rules, Query::Report)
}

#[test]
fn json_escapes_the_name_of_the_kernel() {
    let mut report = run(Arch::X86_64, Rules::x86_6_1());
    report.kernel.release = "6.1-\"Gr\u{fc}n\"\\\n\u{1f427}".into();
    let text = library::json(&report);
    assert!(text.is_ascii());
    let parsed = report::parse(text.as_bytes()).unwrap();
    assert_eq!(parsed["kernel"]["release"], report.kernel.release.as_str());
}

/// Reports of kernels that cannot be booted here fit the schema too.
#[test]
fn json_fits_the_schema_on_simulated_kernels() {
    let old = Rules { validate: false, noreplace: false, ..Rules::x86_6_1() };
    let poor = Rules { no_memfd: true, ..Rules::x86_6_1() };
    for rules in [old, poor] {
        let parsed = report::parse(library::json(&run(Arch::X86_64, rules)).as_bytes()).unwrap();
        assert_eq!(parsed["flags"].as_array().map(Vec::len), Some(library::flag_names().count()));
    }
    let parsed =
        report::parse(library::json(&run(Arch::Hppa, Rules::parisc_6_1())).as_bytes()).unwrap();
    assert_eq!(parsed["validation"]["type_mask"], "0x2b");
}
