//! The changes to the C code that wasm2c generates. There is one.

use anyhow::{Result, bail};

/// Replaces wasm2c's functions that load from and store to linear memory by those of
/// `targets/hppa/memory.h`, which explains why. The generated functions are one macro call per
/// line, before the first use.
pub fn use_memory_h(generated: &str) -> Result<String> {
    let is_access =
        |line: &str| line.starts_with("DEFINE_LOAD(") || line.starts_with("DEFINE_STORE(");
    let Some(first) = generated.lines().position(is_access) else {
        bail!("wasm2c's C code has no line DEFINE_LOAD(..) or DEFINE_STORE(..)");
    };
    let mut fixed = String::with_capacity(generated.len());
    for (number, line) in generated.lines().enumerate() {
        if number == first {
            fixed.push_str("#include \"memory.h\"\n");
        }
        if !is_access(line) {
            fixed.push_str(line);
            fixed.push('\n');
        }
    }
    Ok(fixed)
}

#[cfg(test)]
mod tests {
    use super::use_memory_h;

    #[test]
    fn the_access_functions_are_replaced_and_their_macros_stay() {
        let generated = "#define DEFINE_LOAD(name, t1) \\\n  static t1 name(void);\n\
                         DEFINE_LOAD(i32_load, u32)\nDEFINE_STORE(i32_store, u32)\nx\n";
        let fixed = "#define DEFINE_LOAD(name, t1) \\\n  static t1 name(void);\n\
                     #include \"memory.h\"\nx\n";
        assert_eq!(use_memory_h(generated).unwrap(), fixed);
    }

    #[test]
    fn code_without_access_functions_is_an_error() {
        assert!(use_memory_h("#define DEFINE_LOAD(name, t1)\n").is_err());
    }
}
