//! Commands that must succeed.

use anyhow::{Context, Result, ensure};
use std::process::{Command, Output};

/// Runs a command to its end.
///
/// # Errors
/// The command cannot be started, or it fails; then the error has everything that it printed.
pub fn run(command: &mut Command) -> Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} cannot be started."))?;
    let printed = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    ensure!(
        output.status.success(),
        "{name} ended with {}: {}",
        output.status,
        printed.concat().trim()
    );
    Ok(output)
}

/// Runs a command like [`run`] and returns its standard output as text.
pub fn stdout(command: &mut Command) -> Result<String> {
    Ok(String::from_utf8_lossy(&run(command)?.stdout).into_owned())
}

/// The version that a program prints in the first line of `--version`.
pub fn version(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let text = stdout(command.arg("--version"))?;
    text.lines().next().map(str::to_owned).with_context(|| format!("{name} prints no version."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_has_the_status_and_the_output() {
        let script = "echo out; echo err >&2; exit 3";
        let error = run(Command::new("sh").args(["-c", script])).unwrap_err().to_string();
        assert_eq!(error, "sh ended with exit status: 3: out\nerr");
        let error = run(&mut Command::new("/no/such/program")).unwrap_err().to_string();
        assert_eq!(error, "/no/such/program cannot be started.");
    }
}
