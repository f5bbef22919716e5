//! What the command line takes, as the program itself says it: in its help, and in its complaints about words that it does not know.
//! What is written about the program elsewhere is compared with this.

use mapprobe::cli::{self, Asked, Options};

/// Reads the words of a command line as the program does: what it says to them without asking the kernel, or its complaint.
pub fn read(words: &[&str]) -> Result<Option<String>, String> {
    let mut said = String::new();
    match cli::read(words, &mut Options::default(), &mut said) {
        Some(Asked::Kernel) => Ok(None),
        Some(Asked::Program) => Ok(Some(said)),
        None => Err(said),
    }
}

/// The help.
pub fn help() -> String {
    text(&["--help"])
}

/// What `--version` prints, without the end of the line.
pub fn version() -> String {
    text(&["--version"]).trim().into()
}

/// Every command.
pub fn commands() -> Vec<String> {
    choices(&["?"])
}

/// Every format, the default first.
pub fn formats() -> Vec<String> {
    choices(&["--format", "?"])
}

/// Every architecture.
pub fn architectures() -> Vec<String> {
    choices(&["list", "--arch", "?"])
}

/// Every option of the help, with its hyphens.
pub fn options() -> Vec<String> {
    let help = help();
    let words = help.lines().filter_map(|line| line.strip_prefix("  ")?.split([' ', ',']).next());
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

/// The exit codes of the help.
pub fn exit_codes() -> Vec<String> {
    let help = help();
    let (_, codes) = help.split_once("Exit code: ").expect("the help names the exit codes");
    codes.split(';').filter_map(|part| part.split_whitespace().next()).map(str::to_owned).collect()
}

/// Whether an option has a value.
pub fn has_value(option: &str) -> bool {
    read(&[option]).is_err_and(|complaint| complaint.contains("its value is missing"))
}

/// Whether an option goes with a command, or without one.
pub fn accepts(command: Option<&str>, option: &str) -> bool {
    let value = match option {
        "--format" => formats().swap_remove(0),
        "--arch" => architectures().swap_remove(0),
        _ => "value".into(),
    };
    let mut words: Vec<&str> = command.into_iter().chain(command.and_then(operand)).collect();
    words.push(option);
    words.extend(has_value(option).then_some(value.as_str()));
    read(&words).is_ok()
}

/// What a command needs behind it.
pub fn operand(command: &str) -> Option<&'static str> {
    let fits = |operand: &Option<&str>| read(&[&[command], operand.as_slice()].concat()).is_ok();
    let operands = [None, Some("MAP_FIXED"), Some("0x1")];
    operands.into_iter().find(fits).unwrap_or_else(|| panic!("{command}: what does it need?"))
}

/// What is started as mapprobe in lines of a shell: its arguments, the parts of each line apart that `&&`, `|` and the like divide. Where
/// some lines begin with a prompt, the others are what was printed.
pub fn invocations(lines: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let (lines, prompt) = (
        lines.replace("\\\n", " "),
        if lines.starts_with("$ ") || lines.contains("\n$ ") { "$ " } else { "" },
    );
    for line in lines.lines().filter(|line| line.trim_start().starts_with(prompt)) {
        let line = line.split(" #").next().unwrap_or_default();
        for part in line.split(['|', '&', ';', '(', ')', '<', '>', '`']) {
            let words: Vec<&str> =
                part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
            let mut words = words.as_slice();
            // What may stand before a program, and what may run one elsewhere.
            while let [first, rest @ ..] = words {
                match *first {
                    "$" | "if" | "then" | "do" | "!" | "exec" | "sudo" | "eval" => words = rest,
                    "ssh" => {
                        let host =
                            rest.iter().position(|word| !word.starts_with('-')).unwrap_or_default();
                        words = rest.get(host + 1..).unwrap_or_default();
                    }
                    _ => break,
                }
            }
            let [program, arguments @ ..] = words else { continue };
            let name = program.rsplit('/').next().unwrap_or_default();
            if name == "mapprobe" || name.starts_with("mapprobe-") && !name.contains('.') {
                found.push(arguments.iter().map(|&word| word.to_owned()).collect());
            }
        }
    }
    found
}

fn text(words: &[&str]) -> String {
    match read(words) {
        Ok(Some(text)) => text,
        other => panic!("{words:?}: {other:?}"),
    }
}

/// The words that a complaint tells to choose from.
fn choices(words: &[&str]) -> Vec<String> {
    let complaint = read(words).expect_err("a word that nothing is called");
    let (_, choices) =
        complaint.split_once("; choose one of ").unwrap_or_else(|| panic!("{complaint}"));
    choices.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_are_found_among_other_programs() {
        let lines = "scp dist/out/mapprobe-hppa host:/tmp/mapprobe && ssh -n host /tmp/mapprobe sweep > file # mapprobe no\n\
                     if ! ./mapprobe require MAP_SYNC:/mnt; then echo mapprobe; fi\n\
                     eval \"$(mapprobe --format \\\n shell)\"\ncp mapprobe.fact /etc; cat mapprobe-hppa.cpio.gz";
        let expected = [vec!["sweep"], vec!["require", "MAP_SYNC:/mnt"], vec!["--format", "shell"]];
        assert_eq!(invocations(lines), expected);
        assert_eq!(invocations("$ mapprobe sweep\nmapprobe 0.1.0 for hppa"), [["sweep"]]);
    }

    #[test]
    fn the_program_says_what_it_takes() {
        assert!(commands().contains(&"report".into()) && formats().starts_with(&["json".into()]));
        assert!(options().contains(&"--help".into()) && options().contains(&"--path".into()));
        assert!(has_value("--path") && !has_value("--thorough") && accepts(None, "--thorough"));
        assert!(accepts(Some("sweep"), "--format") && !accepts(Some("sweep"), "--nothing"));
    }
}
