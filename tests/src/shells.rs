//! Shells that complete a line: the candidates at its end, and the line after Tab.

use crate::host_packages;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::io::{Seek, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The name of the program whose arguments are completed.
const NAME: &str = "mapprobe";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// Every shell.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];
}

/// A directory for completion: a program on the path, completion files where shells look for them,
/// and files to complete.
#[derive(Debug)]
pub struct CompletionDirectory {
    directory: TempDir,
    completions: PathBuf,
}

impl CompletionDirectory {
    /// Creates the directory. `completions` has a file for each shell, `program` is on the path,
    /// and `files` are created; those that end with `/` are directories.
    ///
    /// # Errors
    /// A shell is missing and cannot be installed, or a file cannot be created.
    pub fn create(
        completions: &Path,
        program: &Path,
        files: &[&str],
    ) -> Result<CompletionDirectory> {
        host_packages::need(host_packages::COMPLETING_SHELLS)?;
        let directory = tempfile::tempdir().context("A temporary directory cannot be created.")?;
        let at = |name: &str| directory.path().join(name);
        for name in ["bin", "zsh", "bash/completions", "files", "home"] {
            fs::create_dir_all(at(name))?;
        }
        symlink(program, at("bin").join(NAME))?;
        // The file names that the shells look for.
        symlink(completions.join(format!("{NAME}.bash")), at("bash/completions").join(NAME))?;
        symlink(completions.join(format!("{NAME}.zsh")), at("zsh").join(format!("_{NAME}")))?;
        for name in files {
            let path = at("files").join(name);
            if name.ends_with('/') { fs::create_dir_all(path)? } else { fs::write(path, "")? }
        }
        Ok(CompletionDirectory { directory, completions: completions.to_owned() })
    }

    /// The candidates of a shell at the end of each line.
    ///
    /// # Errors
    /// The shell fails or prints an error.
    pub fn candidates(&self, shell: Shell, lines: &[String]) -> Result<Vec<BTreeSet<String>>> {
        let set =
            |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        match shell {
            Shell::Bash => {
                lines.iter().map(|line| Ok(set(&self.bash(&Self::words(line))?))).collect()
            }
            Shell::Zsh => Ok(self
                .tab(shell, "", lines)?
                .iter()
                .map(|output| set(output.split_once('\n').map_or("", |output| output.1)))
                .collect()),
            Shell::Fish => {
                let script =
                    format!("source {}; complete -C $argv[1]", self.file("fish").display());
                let complete = |line: &String| {
                    let output =
                        printed(self.start("fish").args(["--no-config", "-c", &script, line]))?;
                    // Each candidate is followed by its description.
                    Ok(set(&output)
                        .iter()
                        .map(|line| line.split('\t').next().unwrap_or_default().to_owned())
                        .collect())
                };
                lines.iter().map(complete).collect()
            }
        }
    }

    /// Each line after Tab was pressed at its end, on a terminal, in a shell that executed `setup`
    /// first.
    ///
    /// # Errors
    /// The shell fails or prints an error.
    pub fn typed(&self, shell: Shell, setup: &str, lines: &[String]) -> Result<Vec<String>> {
        let output = self.tab(shell, setup, lines)?;
        Ok(output
            .iter()
            .map(|output| output.lines().next().unwrap_or_default().to_owned())
            .collect())
    }

    /// The completion that bash-completion loads for the program.
    ///
    /// # Errors
    /// The shell fails or prints an error.
    pub fn loaded_by_bash(&self) -> Result<String> {
        let script = format!(
            "source /usr/share/bash-completion/bash_completion; _completion_loader {NAME}; \
                complete -p {NAME}"
        );
        let directory = self.directory.path().join("bash");
        printed(
            self.start("bash")
                .env("BASH_COMPLETION_USER_DIR", directory)
                .args(["--norc", "-c", &script]),
        )
    }

    /// The words of a line as bash divides it: a colon is a word of its own.
    fn words(line: &str) -> Vec<String> {
        let line = line.replace(':', "\n:\n");
        line.trim_end_matches('\n').split([' ', '\n']).map(str::to_owned).collect()
    }

    /// Calls the completion function as bash does.
    fn bash(&self, words: &[String]) -> Result<String> {
        let script = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); \
            _mapprobe\n\
                      ((!${#COMPREPLY[@]})) || printf '%s\\n' \"${COMPREPLY[@]}\"";
        printed(
            self.start("bash").args(["--norc", "-c", script]).arg(self.file("bash")).args(words),
        )
    }

    /// Presses Tab: each result has the line and then the candidates.
    fn tab(&self, shell: Shell, setup: &str, lines: &[String]) -> Result<Vec<String>> {
        let work = tempfile::tempdir()?;
        let (name, completions) = match shell {
            Shell::Bash => ("bash", self.file("bash")),
            Shell::Zsh => ("zsh", self.directory.path().join("zsh")),
            Shell::Fish => bail!("fish needs no terminal to list candidates"),
        };
        let mut input = tempfile::tempfile()?;
        lines.iter().try_for_each(|line| writeln!(input, "{line}"))?;
        input.rewind()?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shells/tab.zsh");
        let mut zsh = self.start("zsh");
        zsh.arg("-f")
            .arg(script)
            .arg(name)
            .arg(completions)
            .arg(work.path())
            .arg(setup)
            .stdin(input);
        let output = printed(&mut zsh)?;
        let output: Vec<String> = output
            .strip_suffix("\n\n")
            .unwrap_or(&output)
            .split("\n\n")
            .map(str::to_owned)
            .collect();
        ensure!(
            output.len() == lines.len(),
            "{} lines, and {} results: {output:#?}",
            lines.len(),
            output.len()
        );
        Ok(output)
    }

    fn file(&self, shell: &str) -> PathBuf {
        self.completions.join(format!("{NAME}.{shell}"))
    }

    /// A program in the directory of the files, with the tested program first on the path.
    fn start(&self, program: &str) -> Command {
        let mut path = self.directory.path().join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command
            .env("PATH", path)
            .env("HOME", self.directory.path().join("home"))
            .env("TERM", "xterm")
            .env("LC_ALL", "C.UTF-8");
        command.env_remove("FPATH").current_dir(self.directory.path().join("files"));
        command
    }
}

fn printed(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("{command:?} cannot be started."))?;
    let message = String::from_utf8_lossy(&stderr);
    ensure!(status.success() && message.is_empty(), "{command:?} ended with {status}: {message}");
    String::from_utf8(stdout).with_context(|| format!("{command:?} printed invalid UTF-8."))
}
