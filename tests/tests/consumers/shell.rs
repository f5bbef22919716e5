//! `shell`, sourced and evaluated by dash and by busybox's ash.

use super::*;
use lab::host_packages;

/// The values of variables after a script, in a shell that stops at any error.
fn values(shell: &[&str], script: &str, names: &[String], directory: &Path) -> Vec<String> {
    let shown: String = names.iter().map(|name| format!("printf '%s\\0' \"${name}\"\n")).collect();
    let run = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-eu", "-c", &format!("{script}\n{shown}")])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(directory)
        .output()
        .unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{shell:?}: {run:?}");
    let output = String::from_utf8(run.stdout).unwrap();
    output.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
}

#[test]
fn dash_and_ash_have_the_values_of_json() {
    host_packages::need(host_packages::SHELLS).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for kernel in kernels() {
        for prefix in ["MAPPROBE_", "", "my_"] {
            let arguments = ["--format", "shell", "--prefix", prefix];
            let text =
                kernel.text(if prefix == "MAPPROBE_" { &arguments[..2] } else { &arguments });
            fs::write(directory.path().join("facts"), &text).unwrap();
            let environment: String =
                kernel.environment().iter().map(|name| format!("{name};")).collect();
            let arch = kernel.json["tool"]["arch"].as_str().unwrap();
            let version = env!("CARGO_PKG_VERSION");
            let facts = [
                ("VERSION", version),
                ("ARCH", arch),
                ("KERNEL_RELEASE", kernel.release()),
                ("ENVIRONMENT", &environment),
                ("FILE", kernel.json["file"]["name"].as_str().unwrap()),
            ];
            let wanted = facts
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .chain(kernel.verdicts())
                .chain(
                    kernel
                        .pages()
                        .into_iter()
                        .map(|(name, answer)| (format!("AVAILABLE_{name}"), answer)),
                );
            let (names, wanted): (Vec<String>, Vec<String>) =
                wanted.map(|(name, value)| (format!("{prefix}{name}"), value)).unzip();
            // The text assigns no other variables.
            let lines =
                text.lines().filter(|line| line.starts_with(prefix) && line.contains("='")).count();
            assert_eq!(lines, names.len(), "{text}");
            let evaluate = format!(
                "eval \"$('{}' --format shell --prefix '{prefix}' --replay '{}')\"",
                program().display(),
                kernel.recording.display()
            );
            for shell in [&["dash"][..], &["busybox", "sh"]] {
                for script in [". ./facts", &evaluate] {
                    assert_eq!(
                        values(shell, script, &names, directory.path()),
                        wanted,
                        "{} {shell:?} {script}",
                        kernel.name
                    );
                }
            }
        }
    }
    let files: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["facts"], "a value was executed");
}
