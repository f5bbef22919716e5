//! The compiler's assembly of a PA-RISC program, smaller by what the compiler cannot be told: a function that needs many registers
//! saves and restores each with an instruction of its own. Here one call does that, to code that all functions share.

use regex_lite::Regex;
use std::fmt::Write;

/// The registers a function must leave as they were.
const FIRST: u32 = 3;
const LAST: u32 = 18;

/// Rewrites the functions whose first and last instructions have the usual form, and adds what they share. Others stay as they are.
pub fn share(assembly: &str) -> String {
    let mut out = String::new();
    for function in assembly.split_inclusive("\t.PROCEND\n") {
        out.push_str(&shared(function).unwrap_or_else(|| function.to_string()));
    }
    out.push_str(&routines());
    // Behind a call at the end of a function, and its delay slot, the compiler leaves room for a place to return to.
    let room = Regex::new(r"(\tbl [^\n]*,%r0\n\t[^\n]*\n)\tnop\n(\t\.EXIT\n)")
        .expect("a constant pattern");
    room.replace_all(&out, "$1$2").into_owned()
}

/// A function that saves %rN down to %r3 at the end of its caller's frame, and its return address in the caller's frame.
fn shared(text: &str) -> Option<String> {
    let start = text.rfind("\t.PROC\n")?;
    let (before, function) = text.split_at(start);
    let mut function = function.to_string();
    let (register, frame) = first_save(&function)?;
    let last = format!("\tldwm -{frame}(%r30),%r{register}\n");
    let ends = function.matches(&last).count();
    let mut take = |line: String, times| {
        let found = function.matches(&line).count() == times;
        // What follows a branch is in its delay slot, which must not become the next instruction's.
        let slot = Regex::new(&format!(
            r"(?m)^(\t(?:b|bl|blr|bb|bv|comb|comib|addb|addib|movb|movib)[, ].*\n){}",
            regex_lite::escape(&line)
        ));
        function = slot
            .expect("a constant pattern")
            .replace_all(&function, "$1\tnop\n")
            .replace(&line, "");
        found.then_some(())
    };
    for (at, other) in (FIRST..register).rev().enumerate() {
        let place = 4 * (at as i64 + 1) - i64::from(frame);
        take(format!("\tstw %r{other},{place}(%r30)\n"), 1)?;
        take(format!("\tldw {place}(%r30),%r{other}\n"), ends)?;
    }
    take("\tstw %r2,-20(%r30)\n".into(), 1)?;
    take(format!("\tldw -{}(%r30),%r2\n", frame + 20), ends)?;
    take(format!("\tstwm %r{register},{frame}(%r30)\n"), 1)?;
    let enter = format!("\t.ENTRY\n\tbl save{register}_,%r31\n\tldi {frame},%r1\n");
    let function = function.replacen("\t.ENTRY\n", &enter, 1);
    let leave = format!("\tb restore{register}_\n\tldo -{frame}(%r30),%r30\n");
    let function = function.replace(&format!("\tbv %r0(%r2)\n{last}"), &leave);
    // A call that is the last thing a function does is made with its caller's registers.
    let tail = Regex::new(&format!(r"\tbl (\S+),%r0\n{}", regex_lite::escape(&last)))
        .expect("a constant pattern");
    let call = format!("\tbl reload{register}_,%r31\n\tldo -{frame}(%r30),%r30\n\tb $1\n\tnop\n");
    let function = tail.replace_all(&function, call).into_owned();
    (!function.contains(&last)).then(|| format!("{before}{function}"))
}

/// The register that is saved first, and the bytes of the frame.
fn first_save(function: &str) -> Option<(u32, u32)> {
    let save = Regex::new(r"\tstwm %r(\d+),(\d+)\(%r30\)\n")
        .expect("a constant pattern")
        .captures(function)?;
    let (register, frame) = (save[1].parse().ok()?, save[2].parse().ok()?);
    ((FIRST..=LAST).contains(&register) && frame < 8192).then_some((register, frame))
}

/// Each has an entry per register, from which on all lower ones follow: `save` is called first, with the size of the frame in %r1;
/// `restore` returns for its caller, `reload` to it. The last instruction is in the delay slot.
fn routines() -> String {
    let mut text = String::from("\t.text\n\t.align 4\n");
    let entries = |text: &mut String, name: &str, line: fn(u32, u32) -> String| {
        for register in (FIRST..=LAST).rev() {
            let _ = writeln!(text, "{name}{register}_:");
            if register > FIRST || name == "save" {
                let _ = writeln!(text, "{}", line(register, 4 * (register - FIRST)));
            }
        }
    };
    let load = |register, place| format!("\tldw {place}(%r30),%r{register}");
    entries(&mut text, "save", |register, place| format!("\tstw %r{register},{place}(%r30)"));
    text.push_str("\tstw %r2,-20(%r30)\n\tbv %r0(%r31)\n\taddl %r1,%r30,%r30\n");
    entries(&mut text, "restore", load);
    text.push_str("\tldw -20(%r30),%r2\n\tbv %r0(%r2)\n\tldw 0(%r30),%r3\n");
    entries(&mut text, "reload", load);
    text.push_str("\tldw -20(%r30),%r2\n\tbv %r0(%r31)\n\tldw 0(%r30),%r3\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{routines, share};

    const USUAL: &str = "f:\n\t.PROC\n\t.ENTRY\n\tstw %r2,-20(%r30)\n\tstwm %r4,64(%r30)\n\tcopy %r26,%r4\n\tstw %r3,-60(%r30)\n\
        \tldw -84(%r30),%r2\n\tldw -60(%r30),%r3\n\tbv %r0(%r2)\n\tldwm -64(%r30),%r4\n\t.PROCEND\n";

    #[test]
    fn a_usual_function_calls_for_its_registers() {
        let expected = "f:\n\t.PROC\n\t.ENTRY\n\tbl save4_,%r31\n\tldi 64,%r1\n\tcopy %r26,%r4\n\
            \tb restore4_\n\tldo -64(%r30),%r30\n\t.PROCEND\n";
        assert_eq!(share(USUAL), format!("{expected}{}", routines()));
    }

    #[test]
    fn a_call_at_the_end_gets_the_callers_registers() {
        let text = USUAL.replace("\tbv %r0(%r2)\n", "\tbl g,%r0\n");
        let end = "\tbl reload4_,%r31\n\tldo -64(%r30),%r30\n\tb g\n\tnop\n\t.PROCEND\n";
        assert!(share(&text).contains(end), "{}", share(&text));
    }

    #[test]
    fn a_delay_slot_is_not_left_empty() {
        let branch = "\tcomib,<> 0,%r28,.L1\n";
        let text = USUAL.replace("\tldw -60", &format!("{branch}\tldw -60"));
        assert!(
            share(&text).contains(&format!("{branch}\tnop\n\tb restore4_")),
            "{}",
            share(&text)
        );
    }

    #[test]
    fn what_is_unusual_stays() {
        for (from, to) in
            [("stw %r3,-60", "stw %r3,-56"), ("ldw -60", "ldw -52"), ("bv %r0(%r2)\n", "nop\n")]
        {
            let text = USUAL.replace(from, to);
            assert_eq!(share(&text), format!("{text}{}", routines()));
        }
    }
}
