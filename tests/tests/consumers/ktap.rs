//! `ktap`, read by the kernel's own parser of test results (`kunit_parser.py`) and by Perl's
//! `TAP::Parser`.

use super::*;
use lab::library::Query;
use lab::{host_packages, kunit};
use mapprobe::availability::{Answer, Availability};
use mapprobe::flags::Flag;
use mapprobe::verdict::Verdict;
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

/// Prints a line for each test with its name and its result, then the number of errors of the
/// parser.
const PERL: &str = r#"
my $parser = TAP::Parser->new({ tap => join("", <STDIN>) });
while (my $result = $parser->next) {
    next unless $result->is_test;
    my $name = $result->description =~ s/^- //r;
    print "$name ", ($result->has_skip ? "SKIPPED" : $result->is_ok ? "SUCCESS" : "FAILURE"), "\n";
}
print "errors ", scalar($parser->parse_errors), "\n";
"#;
const PYTHON: &str = "
import contextlib, os, sys
with contextlib.redirect_stdout(open(os.devnull, 'w')):
    import kunit_parser
    test = kunit_parser.parse_run_tests(sys.stdin.readlines())
for one in test.subtests:
    print(one.name, one.status.name)
print('errors', test.counts.errors + test.counts.crashed)
";

/// The results of a parser: each test with its result, and the number of errors.
fn read_by(command: &mut Command, text: &str) -> (Vec<(String, String)>, usize) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let run = child.wait_with_output().unwrap();
    assert!(run.status.success(), "{run:?}");
    let output = String::from_utf8(run.stdout).unwrap();
    let mut tests: Vec<(String, String)> = output
        .lines()
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, end)| (name.into(), end.into()))
        .collect();
    let (_, errors) = tests.pop().unwrap();
    (tests, errors.parse().unwrap())
}

fn readers() -> [Command; 2] {
    host_packages::need(host_packages::TEST_READERS).unwrap();
    let mut perl = Command::new("perl");
    perl.args(["-MTAP::Parser", "-e", PERL]);
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-B", "-c", PYTHON]).env("PYTHONPATH", kunit::parser().unwrap());
    [perl, python]
}

fn expected(verdict: &str) -> &'static str {
    match verdict {
        "absent" | "inconclusive" => "SKIPPED",
        _ => "SUCCESS",
    }
}

#[test]
fn the_kernels_parser_and_perls_read_the_same_results() {
    for kernel in kernels() {
        let text = kernel.text(&["--format", "ktap"]);
        let wanted: Vec<(String, String)> = kernel
            .verdicts()
            .into_iter()
            .map(|(name, verdict)| (name, expected(&verdict).into()))
            .collect();
        for mut reader in readers() {
            assert_eq!(
                read_by(&mut reader, &text),
                (wanted.clone(), 0),
                "{}: {reader:?}\n{text}",
                kernel.name
            );
        }
    }
}

/// As on a console, where the kernel prints messages between any two lines.
#[test]
fn kernel_messages_between_the_lines_are_ignored() {
    let kernel = &kernels()[0];
    let text = kernel.text(&["--format", "ktap"]);
    let noise = "[    1.234567] random: crng init done\n";
    let noisy: String = text.lines().map(|line| format!("{line}\n{noise}")).collect();
    for mut reader in readers() {
        assert_eq!(
            read_by(&mut reader, &(noise.to_owned() + &noisy)),
            read_by(&mut reader, &text),
            "{reader:?}"
        );
    }
}

/// The parsers check the plan: a truncated report is an error.
#[test]
fn a_truncated_report_is_an_error() {
    let text = kernels()[0].text(&["--format", "ktap"]);
    let cut = text
        .lines()
        .take(text.lines().count() / 2)
        .map(|line| line.to_owned() + "\n")
        .collect::<String>();
    for mut reader in readers() {
        assert!(read_by(&mut reader, &cut).1 > 0, "{reader:?}");
    }
}

/// Only a required flag can fail, and only if it is known not to work, or without a huge page.
#[test]
fn an_unmet_requirement_is_a_failure() {
    let old = Rules { validate: false, noreplace: false, ..Rules::x86_6_1() };
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (arch, rules) in [
        (Arch::X86_64, old),
        (Arch::X86_64, Rules::x86_6_1()),
        (Arch::Hppa, Rules::parisc_6_1()),
        (Arch::X86_64, Rules::wsl1()),
    ] {
        let mut report = library::simulate(arch, rules, Query::Report);
        let every_second: Vec<Flag> = Flag::ALL.iter().copied().step_by(2).collect();
        for required in [Vec::new(), Flag::ALL.to_vec(), every_second] {
            report.required = required;
            let wanted = report.rows.iter().map(|row| {
                let is_required = report.required.contains(&row.flag);
                let has_no_page = row.availability.map(Availability::answer) == Some(Answer::No);
                let end = match row.finding.verdict {
                    Verdict::Honored if is_required && has_no_page => "FAILURE",
                    Verdict::Honored | Verdict::Accepted => "SUCCESS",
                    Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable if !is_required => {
                        "SUCCESS"
                    }
                    Verdict::Inconclusive => "SKIPPED",
                    Verdict::Absent if !is_required => "SKIPPED",
                    _ => "FAILURE",
                };
                *seen.entry(end).or_default() += 1;
                (row.flag.name().to_owned(), end.to_owned())
            });
            let wanted: Vec<_> = wanted.collect();
            for mut reader in readers() {
                assert_eq!(
                    read_by(&mut reader, &library::print(&report, "ktap").unwrap()),
                    (wanted.clone(), 0),
                    "{reader:?}"
                );
            }
        }
    }
    assert!(seen.len() == 3 && seen.values().all(|&count| count > 10), "{seen:?}");
}
