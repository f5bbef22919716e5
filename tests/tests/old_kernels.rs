//! Recordings of kernels that no package has any more, against expectations written by hand in
//! `expectations/old/`.

use lab::expectations::Expectations;
use lab::library;
use lab::old_kernels;
use lab::report;

#[test]
fn recorded_runs_of_old_kernels_agree_with_the_expectations() {
    let mut differences = Vec::new();
    for kernel in old_kernels::ALL {
        let recording = std::fs::read(old_kernels::recording(kernel, "report")).unwrap();
        let replayed = library::replay(&recording, false).unwrap();
        let report = report::parse(library::json(&replayed).as_bytes()).unwrap();
        let mut expectations = Expectations::of(&format!("old/{kernel}")).unwrap();
        if expectations.release == "2.6" {
            let source = "memfd_create(2): it came with 3.17";
            expectations.environment.insert("no memfd".to_owned(), source.to_owned());
        }
        let found = expectations.compare(&report);
        differences.extend(found.iter().map(|difference| format!("{kernel}: {difference}")));
    }
    assert_eq!(differences.len(), 0, "{}", differences.join("\n"));
}

/// Every recording of the directory is used.
#[test]
fn every_recording_of_an_old_kernel_is_compared() {
    let mut files: Vec<String> = std::fs::read_dir(old_kernels::directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut known: Vec<String> = old_kernels::ALL
        .iter()
        .flat_map(|kernel| ["report", "sweep"].map(|what| format!("{kernel}.{what}.txt")))
        .collect();
    known.sort();
    assert_eq!(files, known);
}
