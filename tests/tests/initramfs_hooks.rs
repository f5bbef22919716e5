//! The hooks of `dist/initramfs/`, each in the shell of its initramfs: they finish whatever
//! mapprobe does. `initramfs.rs` boots those with a generator in Debian. mkinitcpio is not in
//! Debian 12; shell functions with the names and arguments of its manual (mkinitcpio(8)) replace
//! it.

use lab::initramfs::Installed;
use lab::{artifacts, kernels};
use mapprobe::arch::Arch;

/// Mounts for a hook: an empty `/run`, and a `/dev` whose console is a file.
const EMPTY: &str = "\
mount -t tmpfs tmpfs /run && mkdir /run/dev && touch /run/dev/null /run/dev/console &&
mount --bind /dev/null /run/dev/null &&
mount --rbind /run/dev /dev || exit 90
";
/// Prints the files that a hook created.
const SHOW: &str = "\
echo ended with $?; cd /run/initramfs
for file in *; do echo \"file $file: $(head -n 1 $file)\"; done
[ ! -f /dev/console ] || sed 's/^/console /' /dev/console
";
/// The name of each hook, its shell and its command.
const HOOKS: [(&str, &str, &str); 3] = [
    ("initramfs-tools", "busybox sh", "(. /usr/share/initramfs-tools/scripts/init-top/mapprobe)"),
    ("dracut", "dash", ". /usr/lib/dracut/modules.d/97mapprobe/mapprobe.sh"),
    ("mkinitcpio", "busybox ash", ". /usr/lib/initcpio/hooks/mapprobe; run_earlyhook"),
];

fn installed(program: &[u8]) -> Installed {
    Installed::new(kernels::named("x86_64-6.1").unwrap(), program).unwrap()
}

/// Runs a hook outside of an initramfs: the files that it created and its output.
#[track_caller]
fn hook(installed: &Installed, (name, shell, call): (&str, &str, &str), before: &str) -> String {
    let script = format!("{EMPTY}{before}{shell} -c '{call}; {}'", SHOW.replace('\'', "'\\''"));
    let output = installed.run(&["sh", "-c", &script]).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn every_hook_writes_the_report_to_its_file() {
    let installed = installed(&artifacts::program(Arch::X86_64).unwrap());
    for case in HOOKS {
        let output = hook(&installed, case, "");
        assert!(
            output.starts_with("ended with 0\nfile mapprobe.json: {\nconsole mapprobe: begin 1\n"),
            "{case:?}: {output}"
        );
        assert!(output.trim_end().ends_with(" exit=0"), "{case:?}: {output}");
    }
}

#[test]
fn every_hook_finishes_although_the_program_fails() {
    let programs =
        [("#!/bin/sh\necho half\nexit 2\n", 2), ("#!/bin/sh\necho half\nkill -11 $$\n", 139)];
    for (program, exit) in programs {
        let installed = installed(program.as_bytes());
        for case in HOOKS {
            let output = hook(&installed, case, "");
            let wanted = format!(
                "ended with 0\nfile mapprobe.json.failed: half\nconsole mapprobe: no report, it \
                    ended with {exit}\n"
            );
            assert_eq!(output, wanted, "{case:?}");
        }
    }
}

#[test]
fn every_hook_finishes_without_the_program() {
    let installed = installed(b"");
    for case in HOOKS {
        // /dev/null is not executable here.
        let output = hook(&installed, case, "mount --bind /dev/null /bin/mapprobe\n");
        let rest = output
            .strip_prefix("ended with 0\nfile mapprobe.json.failed: \n")
            .unwrap_or_else(|| panic!("{case:?}: {output}"));
        assert!(
            rest.contains("console mapprobe: no report, it ended with 126\n"),
            "{case:?}: {output}"
        );
    }
}

/// The shell's own `sleep` returns at once.
#[test]
fn a_hanging_program_is_killed() {
    let installed = installed(b"#!/bin/sh\nexec sleep 1000\n");
    for (name, shell, call) in HOOKS {
        let output = hook(&installed, (name, shell, &format!("sleep() {{ :; }}; {call}")), "");
        let wanted = "ended with 0\nfile mapprobe.json.failed: \nconsole mapprobe: no report, it \
            ended with 137\n";
        assert_eq!(output, wanted, "{name}");
    }
}

#[test]
fn without_a_console_the_report_is_written() {
    let installed = installed(&artifacts::program(Arch::X86_64).unwrap());
    for case in HOOKS {
        // A directory cannot be opened for writing, even by root.
        let output = hook(&installed, case, "rm /run/dev/console && mkdir /run/dev/console\n");
        assert_eq!(output, "ended with 0\nfile mapprobe.json: {\n", "{case:?}");
    }
}

/// Installing the package alone changes no image.
#[test]
fn an_image_has_the_program_only_on_request() {
    let installed = installed(&artifacts::program(Arch::X86_64).unwrap());
    let image = |configuration: &[(&str, &str)]| {
        for (file, content) in configuration {
            installed.file(&format!("etc/initramfs-tools/conf.d/{file}"), 0o644, content).unwrap();
        }
        installed.mkinitramfs().unwrap();
        installed.listed().unwrap()
    };
    let mentions = |image: &str| {
        image.lines().filter(|line| line.contains("mapprobe")).map(String::from).collect()
    };
    let without: Vec<String> =
        mentions(&image(&[("other", "MAPPROBE=n\n"), ("z.dpkg-old", "MAPPROBE=y\n")]));
    assert_eq!(without, [""; 0]);
    let with: Vec<String> = mentions(&image(&[("zz", "MAPPROBE=y\n")]));
    assert_eq!(with, ["scripts/init-top/mapprobe", "usr/bin/mapprobe"]);
    let output = installed.run(&[
        "bash",
        "-c",
        ". /usr/lib/dracut/modules.d/97mapprobe/module-setup.sh; check; echo $?",
    ]);
    assert_eq!(String::from_utf8_lossy(&output.unwrap().stdout), "255\n");
}

/// Shell functions that replace mkinitcpio's, which is not in Debian 12. They print their
/// arguments.
const MKINITCPIO: &str = r#"
add_binary() { echo "add_binary $*"; }
add_runscript() { echo "add_runscript of ${BASH_SOURCE[1]##*/}"; }
. /usr/lib/initcpio/install/mapprobe
build
echo "ended with $?"
help
"#;

#[test]
fn the_mkinitcpio_hook_adds_the_program_and_its_script() {
    let output = installed(b"").run(&["bash", "-u", "-c", MKINITCPIO]).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let wanted =
        "add_binary /usr/bin/mapprobe /bin/mapprobe\nadd_runscript of mapprobe\nended with 0\n";
    let help = text.strip_prefix(wanted).unwrap_or_else(|| panic!("{text}"));
    assert!(help.contains("mmap(2)") && help.contains("/run/initramfs/mapprobe.json"), "{help}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
