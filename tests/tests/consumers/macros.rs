//! `macros`, compiled by gcc: a program prints which macros are defined.

use super::*;
use lab::host_packages;

#[test]
fn a_c_program_sees_the_verdicts_of_json() {
    host_packages::need(host_packages::COMPILER).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (number, kernel) in kernels().iter().enumerate() {
        let prefix = ["MAPPROBE_", "", "my_probe_9"][number % 3];
        let arguments = ["--format", "macros", "--prefix", prefix];
        let text = kernel.text(if number % 3 == 0 { &arguments[..2] } else { &arguments });
        fs::write(directory.path().join("facts.h"), &text).unwrap();
        let mut program = String::from(
            "#include <stdio.h>\n#include \"facts.h\"\n#include \"facts.h\"\nint main(void) {\n",
        );
        for (name, _) in kernel.verdicts() {
            program += &format!(
                "#if defined {prefix}HAVE_{name} && defined {prefix}NO_HAVE_{name}\n#error both\n\
                 #elif defined {prefix}HAVE_{name}\n  puts(\"{name} yes\");\n\
                 #elif defined {prefix}NO_HAVE_{name}\n  puts(\"{name} no\");\n\
                 #else\n  puts(\"{name} open\");\n#endif\n"
            );
        }
        program += "  return 0;\n}\n";
        fs::write(directory.path().join("program.c"), program).unwrap();
        let mut compiler = Command::new("gcc");
        compiler.args([
            "-std=c99",
            "-pedantic",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-Wundef",
            "-o",
            "program",
            "program.c",
        ]);
        let built = compiler.current_dir(directory.path()).output().unwrap();
        assert!(
            built.status.success(),
            "{}: {}\n{text}",
            kernel.name,
            String::from_utf8_lossy(&built.stderr)
        );
        let run = Command::new(directory.path().join("program")).output().unwrap();
        let wanted = kernel.verdicts().into_iter().map(|(name, verdict)| {
            let word = match verdict.as_str() {
                "honored" | "accepted" => "yes",
                "inconclusive" => "open",
                _ => "no",
            };
            format!("{name} {word}\n")
        });
        assert_eq!(
            String::from_utf8(run.stdout).unwrap(),
            wanted.collect::<String>(),
            "{}",
            kernel.name
        );
    }
}
