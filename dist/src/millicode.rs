//! Loads and stores of linear memory on PA-RISC are calls that the compiler does not know as such (`targets/hppa/memory.h`): the
//! instruction behind each, in its delay slot, makes the address, when the call has already written %r31.

use anyhow::{Result, bail};
use regex_lite::Regex;

/// Refuses assembly in which an address is made of the place that the call returns to: a store would go there. gcc 12 wrote such
/// programs, and each printed a report in which four bytes were zero.
pub fn check(assembly: &str) -> Result<()> {
    let calls =
        Regex::new(r"\tbl (?:load|store)\d+_,%r31\n\t([^\n]*)\n").expect("a constant pattern");
    let (mut count, mut wrong) = (0, Vec::new());
    for call in calls.captures_iter(assembly) {
        count += 1;
        if call[1].contains("%r31") {
            wrong.push(call[0].trim().replace("\n\t", "; "));
        }
    }
    if count == 0 {
        bail!(
            "No load and no store of linear memory was found in the compiler's assembly: they have another form than expected."
        );
    }
    if let [first, ..] = wrong.as_slice() {
        bail!(
            "The compiler made an address of the place a call returns to, {} of {count} times; first: {first}. \
             The program would store there.",
            wrong.len()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn an_address_is_made_of_any_register_but_the_one_of_the_call() {
        let call = |slot: &str| {
            format!(
                "#APP\n; 70 \"memory.h\" 1\n\tbl store32_,%r31\n\t{slot}\n; 0 \"\" 2\n#NO_APP\n"
            )
        };
        let fine =
            [call("ldo 4(%r19),%r26"), call("ldo -736(%r8),%r26"), call("copy %r3,%r26")].concat();
        assert!(check(&fine).is_ok());
        let elsewhere = "\tldw -232(%r30),%r31\n\tldo 4(%r31),%r19\n\tbl f,%r2\n\tcopy %r31,%r26\n";
        assert!(check(&format!("{fine}{elsewhere}")).is_ok());
        for slot in ["ldo 4(%r31),%r26", "copy %r31,%r26"] {
            let said = check(&format!("{fine}{}", call(slot))).unwrap_err().to_string();
            assert!(
                said.contains(&format!("1 of 4 times; first: bl store32_,%r31; {slot}")),
                "{said}"
            );
        }
    }

    #[test]
    fn calls_of_another_form_are_noticed() {
        assert!(check("f:\n\tbl load32_,%r2\n\tldo 4(%r31),%r26\n").is_err());
    }
}
