//! The command line as the program describes it: in its help, and in its error messages for unknown
//! words. The documents are compared with it.

use mapprobe::cli::{self, Asked, Options};

/// Parses arguments as the program does: the text that it prints without a request to the kernel,
/// or its error message.
pub fn read(arguments: &[&str]) -> Result<Option<String>, String> {
    let mut output = String::new();
    match cli::read(arguments, &mut Options::default(), &mut output) {
        Some(Asked::Kernel) => Ok(None),
        Some(Asked::Program) => Ok(Some(output)),
        None => Err(output),
    }
}

/// The text of `--help`.
pub fn help() -> String {
    text(&["--help"])
}

/// The text of `--version` without its line end.
pub fn version() -> String {
    text(&["--version"]).trim().into()
}

pub fn commands() -> Vec<String> {
    choices(&["?"])
}

/// Every format, the default first.
pub fn formats() -> Vec<String> {
    choices(&["--format", "?"])
}

pub fn architectures() -> Vec<String> {
    choices(&["list", "--arch", "?"])
}

/// Every option in the help, with its hyphens.
pub fn options() -> Vec<String> {
    let help = help();
    let words = help.lines().filter_map(|line| line.strip_prefix("  ")?.split([' ', ',']).next());
    words.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

/// The exit codes in the help.
pub fn exit_codes() -> Vec<String> {
    let help = help();
    let (_, codes) = help.split_once("Exit code: ").expect("the help names the exit codes");
    codes.split(';').filter_map(|part| part.split_whitespace().next()).map(str::to_owned).collect()
}

/// Whether an option requires a value.
pub fn has_value(option: &str) -> bool {
    read(&[option]).is_err_and(|message| message.contains("its value is missing"))
}

/// Whether an option is valid with a command, or without one.
pub fn accepts(command: Option<&str>, option: &str) -> bool {
    let value = match option {
        "--format" => formats().swap_remove(0),
        "--arch" => architectures().swap_remove(0),
        _ => "value".into(),
    };
    let mut arguments: Vec<&str> = command.into_iter().chain(command.and_then(operand)).collect();
    arguments.push(option);
    arguments.extend(has_value(option).then_some(value.as_str()));
    read(&arguments).is_ok()
}

/// The operand that a command requires.
pub fn operand(command: &str) -> Option<&'static str> {
    let fits = |operand: &Option<&str>| read(&[&[command], operand.as_slice()].concat()).is_ok();
    let operands = [None, Some("MAP_FIXED"), Some("0x1")];
    operands.into_iter().find(fits).unwrap_or_else(|| panic!("{command}: unknown operand"))
}

/// The arguments of every invocation of mapprobe in lines of a shell. The commands of a pipeline or
/// a list count separately. If some lines begin with a prompt, the others are output.
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
            // Words that precede the name of a program, and programs that run one elsewhere.
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

fn text(arguments: &[&str]) -> String {
    match read(arguments) {
        Ok(Some(text)) => text,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

/// The choices that an error message lists.
fn choices(arguments: &[&str]) -> Vec<String> {
    let message = read(arguments).expect_err("an unknown word");
    let (_, choices) =
        message.split_once("; choose one of ").unwrap_or_else(|| panic!("{message}"));
    choices.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_are_found_among_other_programs() {
        let lines = "scp dist/out/mapprobe-hppa host:/tmp/mapprobe && ssh -n host /tmp/mapprobe \
            sweep > file # mapprobe no\n\
                     if ! ./mapprobe require MAP_SYNC:/mnt; then echo mapprobe; fi\n\
                     eval \"$(mapprobe --format \\\n shell)\"\ncp mapprobe.fact /etc; cat \
                     mapprobe-hppa.cpio.gz";
        let expected = [vec!["sweep"], vec!["require", "MAP_SYNC:/mnt"], vec!["--format", "shell"]];
        assert_eq!(invocations(lines), expected);
        assert_eq!(invocations("$ mapprobe sweep\nmapprobe 0.1.0 for hppa"), [["sweep"]]);
    }

    #[test]
    fn the_help_and_the_error_messages_are_parsed() {
        assert!(commands().contains(&"report".into()) && formats().starts_with(&["json".into()]));
        assert!(options().contains(&"--help".into()) && options().contains(&"--path".into()));
        assert!(has_value("--path") && !has_value("--thorough") && accepts(None, "--thorough"));
        assert!(accepts(Some("sweep"), "--format") && !accepts(Some("sweep"), "--nothing"));
    }
}
