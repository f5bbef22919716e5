//! The command line as the program describes it: in its help, and in its error messages for unknown
//! values. The documents are compared with it.

use mapprobe::cli::{self, Request};

/// Parses arguments as the program does: the request, or the error message.
pub fn parse(arguments: &[&str]) -> Result<Request, String> {
    cli::parse(arguments).map_err(|error| error.to_string())
}

/// The text of `--help`, of the program or of a command.
pub fn help(command: Option<&str>) -> String {
    let arguments: Vec<&str> = command.into_iter().chain(["--help"]).collect();
    match parse(&arguments) {
        Ok(Request::Help(text)) => text,
        other => panic!("{arguments:?}: {other:?}"),
    }
}

/// The text of `--version` without its line end.
pub fn version() -> String {
    assert_eq!(parse(&["--version"]), Ok(Request::Version));
    format!("mapprobe {}", env!("CARGO_PKG_VERSION"))
}

pub fn commands() -> Vec<String> {
    entries(&help(None), "Commands")
}

/// Every format, the default first.
pub fn formats() -> Vec<String> {
    choices(&["--format", "?"])
}

pub fn architectures() -> Vec<String> {
    choices(&["list", "--arch", "?"])
}

/// Every option of the program and of its commands, with its hyphens.
pub fn options() -> Vec<String> {
    let commands = commands();
    let commands = commands.iter().map(|command| Some(command.as_str()));
    let mut options: Vec<String> = Vec::new();
    for command in [None].into_iter().chain(commands) {
        let entries = entries(&help(command), "Options");
        let names = entries.iter().flat_map(|entry| entry.split(", "));
        for name in names.filter(|name| name.starts_with("--")) {
            if !options.iter().any(|known| known == name) {
                options.push(name.into());
            }
        }
    }
    options
}

/// The exit codes in the help.
pub fn exit_codes() -> Vec<String> {
    let codes = entries(&help(None), "Error codes");
    let numbers = codes.iter().filter_map(|line| line.split(' ').next());
    numbers.map(str::to_owned).collect()
}

/// The entries of a section of the help: the first column, whose lines are indented by two spaces.
fn entries(help: &str, section: &str) -> Vec<String> {
    let mut lines = help.lines().skip_while(|line| line.strip_suffix(':') != Some(section)).skip(1);
    let lines = lines.by_ref().take_while(|line| !line.is_empty());
    let entries = lines.filter_map(|line| line.strip_prefix("  ")?.split("  ").next());
    entries.filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

/// Whether an option requires a value.
pub fn has_value(option: &str) -> bool {
    let commands = commands();
    let commands = commands.iter().map(|command| Some(command.as_str()));
    [None].into_iter().chain(commands).any(|command| {
        let with = |value| parse(&with_option(command, option, value)).is_ok();
        !with(None) && with(Some(&value(option)))
    })
}

/// Whether an option is valid with a command, or without one.
pub fn accepts(command: Option<&str>, option: &str) -> bool {
    let value = value(option);
    [None, Some(value.as_str())]
        .into_iter()
        .any(|value| parse(&with_option(command, option, value)).is_ok())
}

/// The arguments for a command with its operand, an option and the value of the option.
fn with_option<'a>(
    command: Option<&'a str>,
    option: &'a str,
    value: Option<&'a str>,
) -> Vec<&'a str> {
    let mut arguments: Vec<&str> = command.into_iter().chain(command.and_then(operand)).collect();
    if option == "--prefix" {
        // Only some formats define names.
        arguments.extend(["--format", "shell"]);
    }
    arguments.push(option);
    arguments.extend(value);
    arguments
}

/// A valid value of an option, if it requires one.
fn value(option: &str) -> String {
    match option {
        "--format" => formats().swap_remove(0),
        "--arch" => architectures().swap_remove(0),
        _ => "value".into(),
    }
}

/// The operand that a command requires.
pub fn operand(command: &str) -> Option<&'static str> {
    let fits = |operand: &Option<&str>| parse(&[&[command], operand.as_slice()].concat()).is_ok();
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

/// The choices that an error message lists.
fn choices(arguments: &[&str]) -> Vec<String> {
    let message = parse(arguments).expect_err("an unknown value");
    let (_, choices) =
        message.split_once("expected one of ").unwrap_or_else(|| panic!("{message}"));
    choices.split(", ").map(str::to_owned).collect()
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
        for option in ["--help", "--path", "--arch", "--allow-inconclusive"] {
            assert!(options().contains(&option.into()), "{option}");
        }
        assert_eq!(exit_codes(), ["0", "1", "2", "3"]);

        assert!(has_value("--path") && !has_value("--thorough") && accepts(None, "--thorough"));
        assert!(accepts(Some("sweep"), "--format") && !accepts(Some("sweep"), "--nothing"));
    }
}
