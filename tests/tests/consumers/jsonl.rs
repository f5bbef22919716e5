//! `jsonl`: the same object as `json` in one line, for every query and architecture.

use super::*;
use lab::host_packages;

#[test]
fn a_line_is_the_object() {
    let mut lines = String::new();
    for kernel in kernels() {
        let line = kernel.text(&["--format", "jsonl"]);
        assert_eq!(
            (line.matches('\n').count(), line.is_ascii()),
            (1, true),
            "{}: {line}",
            kernel.name
        );
        assert_eq!(report::parse(line.as_bytes()).unwrap(), kernel.json, "{}", kernel.name);
        lines += &line;
    }
    // Several reports make one file.
    let parsed =
        serde_json::Deserializer::from_str(&lines).into_iter::<Value>().map(Result::unwrap);
    assert!(parsed.eq(kernels().iter().map(|kernel| kernel.json.clone())));
}

#[test]
fn every_query_of_every_architecture_fits_its_schema_in_a_line() {
    host_packages::need(host_packages::EMULATORS).unwrap();
    for arch in Arch::ALL {
        for what in ["report", "sweep", "free-bits"] {
            let mut command = Command::new(targets::of(arch).emulator.unwrap_or("env"));
            let run = command
                .arg(&artifacts::of(arch).unwrap().path)
                .args([what, "--format", "jsonl"])
                .output()
                .unwrap();
            assert_eq!(
                (run.status.code(), run.stderr.is_empty()),
                (Some(0), true),
                "{}: {run:?}",
                arch.name()
            );
            assert_eq!(run.stdout.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let line = report::parse(&run.stdout).unwrap();
            assert_eq!(
                (&line["schema"], &line["tool"]["arch"]),
                (&format!("mapprobe.{what}").into(), &arch.name().into())
            );
        }
    }
}
