//! Ansible's local facts: the program itself, under a name that ends with `.fact`.

use super::*;
use lab::host_packages;

#[test]
fn the_program_is_a_local_fact() {
    host_packages::need(host_packages::ANSIBLE).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let facts = directory.path().join("facts.d");
    fs::create_dir(&facts).unwrap();
    fs::copy(program(), facts.join("mapprobe.fact")).unwrap();
    let run = Command::new("/usr/bin/ansible")
        .args([
            "localhost",
            "--inventory",
            "localhost,",
            "--connection",
            "local",
            "--module-name",
            "setup",
        ])
        .arg("--args")
        .arg(format!("fact_path={} filter=ansible_local", facts.display()))
        .args(["--extra-vars", "ansible_python_interpreter=/usr/bin/python3", "--tree", "results"])
        .env("HOME", directory.path())
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let results: Value =
        serde_json::from_slice(&fs::read(directory.path().join("results/localhost")).unwrap())
            .unwrap();
    let fact = &results["ansible_facts"]["ansible_local"]["mapprobe"];
    let fact = report::parse(fact.to_string().as_bytes()).unwrap();
    let json = report::parse(&mapprobe(&[]).stdout).unwrap();
    for same in ["schema", "schema_version", "tool", "kernel", "environment", "complete"] {
        assert_eq!(fact[same], json[same], "{same}");
    }
    assert_eq!(verdicts(&fact), verdicts(&json));
}
