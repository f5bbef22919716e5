//! The route of an architecture that rustc does not know: WebAssembly, then C, then its cross compiler. The host shim it is
//! compiled with is in `targets/`.

use crate::compile::{self, Compiled, Flags, Source};
use crate::frames;
use crate::generated;
use crate::millicode;
use crate::native::Built;
use crate::toolchain::{self, Toolchain};
use crate::workspace;
use anyhow::{Context, Result, bail};
use mapprobe::flags::TABLE;
use mapprobe::kernel::{Advice, How, Op};
use std::fmt::Write;
use std::fs;
use std::path::Path;
use targets::Target;

/// A stack of 64 KiB in linear memory, below everything else, so that an overflow is a trap and not a damaged heap.
const RUSTFLAGS: [&str; 2] = ["-Clinker-flavor=wasm-ld", "-Clink-arg=-zstack-size=65536"];

/// The cross compiler's flags: freestanding, every function visible to it at once, memory as bytes (`memory.h`).
const CFLAGS: [&str; 19] = [
    "-Os",
    "-ffreestanding",
    "-fwhole-program",
    "-fno-strict-aliasing",
    "-fno-stack-protector",
    "-fno-asynchronous-unwind-tables",
    "-fno-unwind-tables",
    // Loads and stores call millicode in a delay slot that has room for a displacement, not for an index (memory.h).
    "-mdisable-indexing",
    // Measured: what is moved out of loops is kept in registers that must be saved.
    "-fno-tree-loop-im",
    "-fno-move-loop-invariants",
    "-fno-guess-branch-probability",
    "-fno-caller-saves",
    // It holds where a load or store returns to, and nothing else (memory.h).
    "-ffixed-%r31",
    "-fno-schedule-insns2",
    "-mschedule=700",
    // Every function spoils the registers that `frames` uses.
    "-fno-ipa-ra",
    "-fno-ident",
    "-w",
    "-DWABT_BIG_ENDIAN=0",
];
/// Its flags as a linker.
const LDFLAGS: [&str; 6] = [
    "-static",
    "-s",
    "-nostdlib",
    "-Wl,--gc-sections",
    "-Wl,--build-id=none",
    "-Wl,-z,noexecstack",
];

/// Builds the program, and links it with the shim in `targets/SHIM`.
pub fn build(
    toolchain: &Toolchain,
    target: &Target,
    source: Source,
    compiler: &str,
    shim: &str,
) -> Result<Built> {
    if toolchain.std.is_none() && !toolchain.has(target.triple) {
        bail!("{}", toolchain.lacks(target.triple));
    }
    let lld = toolchain::lld("wasm-ld", toolchain)
        .context("No wasm-ld is here; install the Debian package lld.")?;
    let mut flags = Flags::default();
    flags.add(RUSTFLAGS);
    flags.here.push(format!("-Clinker={}", lld.display()));
    let Compiled { path: wasm, crates } =
        compile::compile(toolchain, target.triple, source, &mut flags, &[])?;

    let folder = compile::folder(target).join(source.name());
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // wasm2c names everything after the module; the shim knows it as mapprobe, whatever the program is.
    let generated = folder.join("mapprobe.c");
    compile::run(
        workspace::command("wasm2c").arg(&wasm).args(["-n", "mapprobe", "-o"]).arg(&generated),
    )?;
    rewrite(&generated, |text| Ok(generated::prepare(text)))?;
    for (name, text) in [("flags.h", assertions(target)), ("ops.h", numbers())] {
        let header = folder.join(name);
        fs::write(&header, text)
            .with_context(|| format!("{} cannot be written", header.display()))?;
    }
    let path = folder.join(source.name());
    let assembly = folder.join("mapprobe.s");
    let mut gcc = workspace::command(compiler);
    gcc.args(CFLAGS)
        .arg("-I")
        .arg(&folder)
        .arg("-I")
        .arg(workspace::root().join("targets").join(shim));
    compile::run(
        gcc.args(["-include", "host.c"]).arg(&generated).arg("-S").arg("-o").arg(&assembly),
    )?;
    rewrite(&assembly, |text| millicode::check(text).map(|()| frames::share(text)))?;
    let mut gcc = workspace::command(compiler);
    let map = workspace::root().join(compile::map(target, source));
    gcc.arg(format!("-Wl,-Map={}", map.display()));
    compile::run(gcc.args(LDFLAGS).arg(&assembly).arg("-o").arg(&path).arg("-lgcc"))?;

    let linker = [&["wasm2c", "|", compiler], &CFLAGS[..], &LDFLAGS[..]].concat();
    let linker = linker.into_iter().map(String::from).collect();
    Ok(Built {
        path,
        triple: target.triple.into(),
        rustflags: flags.everywhere,
        linker,
        crates,
        map,
        libc: None,
    })
}

/// Changes the text of a file.
fn rewrite(file: &Path, change: fn(&str) -> Result<String>) -> Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    fs::write(file, change(&text)?).with_context(|| format!("{} cannot be written", file.display()))
}

/// The flag table against the kernel's own headers: a C header that does not compile when they disagree.
fn assertions(target: &Target) -> String {
    let mut text = String::from(
        "/* Made by dist from the flag table; compared unsigned, since MAP_HUGE_16GB is negative as int. */\n\
         #include <linux/mman.h>\n",
    );
    for flag in TABLE {
        let (name, Some(value)) = (flag.name.plain(), flag.value(target.arch)) else { continue };
        let line = format!("_Static_assert((unsigned){name} == {value:#x}u, \"{name}\");");
        let newer = target.newer_than_headers.iter().any(|(newer, _)| *newer == name);
        let _ = if newer {
            writeln!(text, "#ifdef {name}\n{line}\n#endif")
        } else {
            writeln!(text, "{line}")
        };
    }
    text
}

/// The variants of an enum, each by its number and name. One that is missing here does not compile.
macro_rules! every {
    ($kind:ident: $($name:ident)*) => {{
        let _: fn($kind) = |variant| match variant { $($kind::$name => ()),* };
        [$(($kind::$name as usize, stringify!($name).to_string())),*]
    }};
}

/// What is asked of the shim, by number: a C header with an `enum` for each list, and how many there are.
fn numbers() -> String {
    let ops: Vec<(usize, String)> =
        Op::ALL.iter().map(|&op| (op as usize, format!("{op:?}"))).collect();
    let lists: [(&str, &[(usize, String)]); 3] = [
        ("OP", &ops),
        ("HOW", &every!(How: Read ReadWrite Nameless New Create Device)),
        ("ADVICE", &every!(Advice: DontNeed KeepOnFork Collapse)),
    ];
    let mut text = String::from("/* Made by dist from the program's own numbers. */\n");
    for (list, variants) in lists {
        let variants: Vec<String> =
            variants.iter().map(|(number, name)| format!("{list}_{name} = {number}")).collect();
        let _ = writeln!(text, "enum {{ {}, {list}S = {} }};", variants.join(", "), variants.len());
    }
    text
}
