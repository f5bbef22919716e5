//! The C that wasm2c writes, made fit for `targets/hppa/memory.h` and smaller by what wasm2c cannot know: there is one instance
//! with one memory and one table. Every check of wasm stays; whatever has another form than expected stays as it is.

use regex_lite::Regex;

/// Rewrites what wasm2c generated: its own access functions are left out, since `memory.h` has better ones; no function gets
/// the instance as an argument; indirect calls are checked by one function of the host (`callee`).
pub fn prepare(text: &str) -> String {
    let replaced = |text: &str, pattern: &str, by: &str| {
        Regex::new(pattern).expect("a constant pattern").replace_all(text, by).into_owned()
    };
    let text = replaced(text, r"(?m)^DEFINE_(?:LOAD|STORE)\(.*$", "");
    // Declarations and definitions, direct calls, indirect calls with their types.
    let text = replaced(
        &text,
        r"(static \w+ w2c_\w+)\(Z_mapprobe_instance_t\*(?: instance)?\)",
        "$1(void)",
    );
    let text =
        replaced(&text, r"(static \w+ w2c_\w+)\(Z_mapprobe_instance_t\*(?: instance)?, ", "$1(");
    let text = replaced(&text, r"\b(w2c_\w+)\(instance(?:, )?", "$1(");
    let indirect = r"CALL_INDIRECT\(instance->\w+, (\w+ \(\*\)\()void\*(?:, )?([^)]*\)), (\d+), (w2c_\w+), instance->\w+\.data\[\w+\]\.module_instance";
    let text = replaced(&text, indirect, "INDIRECT($1$2, $3, $4");
    // One module names each type once: its own number, counted from 1, is all a type needs.
    let text =
        replaced(&text, r"(?m)^  func_types\[\d+\] = wasm_rt_register_func_type\(.*\);$", "");
    let text =
        text.replace("func_types[src_expr->func_type_index]", "src_expr->func_type_index + 1");
    // The only variable outside of memory is at a place of its own (`host.c`).
    let text = replaced(&text, r"instance->w2c_g0 = ([^;]*);", "set_stack($1);");
    let text = text.replace("instance->w2c_g0", "get_stack()");
    let text = text.replace("instance->", "the_instance.");
    let include = "#include \"mapprobe.h\"\n";
    text.replacen(include, &format!("{include}static Z_mapprobe_instance_t the_instance;\n"), 1)
}

#[cfg(test)]
mod tests {
    use super::prepare;

    #[test]
    fn the_access_functions_are_left_out_and_their_macro_stays() {
        let text = "#define DEFINE_LOAD(name, t1) \\\n  static t1 name(void);\nDEFINE_LOAD(i32_load, u32)\nDEFINE_STORE(i32_store, u32)\nx\n";
        assert_eq!(
            prepare(text),
            "#define DEFINE_LOAD(name, t1) \\\n  static t1 name(void);\n\n\nx\n"
        );
    }

    #[test]
    fn types_are_numbers() {
        let text = "  func_types[7] = wasm_rt_register_func_type(2, 1, WASM_RT_I32, WASM_RT_I64, WASM_RT_I32);\n  x(func_types[src_expr->func_type_index], y)\n";
        assert_eq!(prepare(text), "\n  x(src_expr->func_type_index + 1, y)\n");
    }

    #[test]
    fn the_instance_is_no_argument_any_more() {
        for (line, expected) in [
            ("static void w2c_f1(Z_mapprobe_instance_t*, u32);", "static void w2c_f1(u32);"),
            ("static u32 w2c_f2(Z_mapprobe_instance_t*);", "static u32 w2c_f2(void);"),
            ("static u32 w2c_f2(Z_mapprobe_instance_t* instance) {", "static u32 w2c_f2(void) {"),
            ("  w2c_f1(instance, w2c_i0);", "  w2c_f1(w2c_i0);"),
            ("  w2c_i0 = w2c_f2(instance);", "  w2c_i0 = w2c_f2();"),
            ("  w2c_i0 = instance->w2c_g0;", "  w2c_i0 = get_stack();"),
            ("  instance->w2c_g0 = w2c_i0;", "  set_stack(w2c_i0);"),
            ("  w2c_i0 = instance->w2c_g1;", "  w2c_i0 = the_instance.w2c_g1;"),
            (
                "  CALL_INDIRECT(instance->w2c_T0, u64 (*)(void*, u32), 3, w2c_i2, instance->w2c_T0.data[w2c_i2].module_instance, w2c_i0);",
                "  INDIRECT(u64 (*)(u32), 3, w2c_i2, w2c_i0);",
            ),
        ] {
            assert_eq!(prepare(line), expected);
        }
        let run = "u32 Z_mapprobeZ_run(Z_mapprobe_instance_t* instance) {\n  return w2c_run(instance);\n}\n";
        assert_eq!(prepare(run), run.replace("w2c_run(instance)", "w2c_run()"));
    }
}
