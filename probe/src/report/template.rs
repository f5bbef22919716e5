//! What the formats of lines have in common: each is a form, texts with places that are filled in. Knows no format.
//!
//! A place is `%` and a letter. (Letters so far apart that the compiler makes no table of addresses of them.)
//!
//! | place | what is filled in |
//! |---|---|
//! | `%t` | who asked what kernel, fit for a comment of any language |
//! | `%a` `%R` | the architecture; the kernel's release, quoted |
//! | `%p` | what names begin with |
//! | `%C` | how many rows there are |
//! | `%I` `%N` `%W` | a row: its number from 1, its flag, its verdict |
//! | `%s` | why, in a few words |
//! | `%o` | `ok`, or `not ok` when the row is required and not met |
//!
//! Of a thing in the environment, `%N` is the name and `%s` what gave it away.

use super::{Report, sentence};
use crate::kernel::Word;
use crate::text::Text;
use crate::verdict::Verdict;

/// A form and what belongs to it.
pub struct Form {
    /// The first of its texts. They are: what stands first, for each thing in the environment, what stands before the rows, and those for
    /// rows.
    pub texts: Text,
    /// Which text for rows is that of each verdict, in the order of [`Verdict::ALL`].
    pub rows: [u8; Verdict::ALL.len()],
    /// Characters that would end a quoted text.
    pub quoting: [u8; 3],
}

/// None of them stands in what is filled in.
pub const UNQUOTED: [u8; 3] = [b'\n'; 3];

/// The only text for rows is that of all verdicts.
pub const ALIKE: [u8; Verdict::ALL.len()] = [0; _];

const ENVIRONMENT: usize = 1;
const BODY: usize = 2;
const ROWS: usize = 3;

/// What is filled in.
struct Places<'r> {
    report: &'r Report,
    form: &'r Form,
    number: usize,
    name: Text,
    verdict: Text,
    met: Text,
    why: Text,
}

/// Fills a form.
#[cold]
pub fn fill(report: &Report, form: &Form) -> String {
    let mut out = String::new();
    let nothing = Text::OK;
    let mut places = Places {
        report,
        form,
        number: 0,
        name: nothing,
        verdict: nothing,
        met: nothing,
        why: nothing,
    };
    places.part(&mut out, 0);
    for (name, evidence) in report.lies() {
        (places.name, places.why) = (name, evidence);
        places.part(&mut out, ENVIRONMENT);
    }
    places.part(&mut out, BODY);
    for row in &report.rows {
        let (verdict, reason) = &row.finding;
        let missed = report.requires(places.number) && verdict.is_no();
        places.number += 1;
        (places.name, places.verdict, places.why) =
            (row.flag.name, verdict.word(), sentence::words(reason));
        places.met = if missed { Text::NOT_OK } else { Text::OK };
        // What does not exist can be required all the same.
        let part = if missed { Verdict::Unknown } else { *verdict };
        places.part(
            &mut out,
            ROWS + usize::from(form.rows.get(part as usize).copied().unwrap_or_default()),
        );
    }
    out
}

impl Places<'_> {
    #[cold]
    #[inline(never)]
    fn part(&self, out: &mut String, part: usize) {
        let (report, quoting) = (self.report, self.form.quoting);
        let text = self.form.texts.nth(part).string();
        let mut letters = text.bytes();
        while let Some(letter) = letters.next() {
            if letter != b'%' {
                out.push(char::from(letter));
                continue;
            }
            let title;
            let text = match (letters.next(), &report.style.prefix) {
                (Some(b't'), _) => {
                    title = sentence::title(report);
                    &title
                }
                (Some(b'R'), _) => &report.kernel.release,
                (Some(b'p'), Some(prefix)) => prefix,
                (Some(b'a'), _) => {
                    out.push_str(report.arch.name());
                    continue;
                }
                (Some(letter @ (b'C' | b'I')), _) => {
                    sentence::number(
                        out,
                        if letter == b'C' { report.rows.len() } else { self.number } as Word,
                    );
                    continue;
                }
                (other, _) => {
                    let words = match other {
                        Some(b'p') => Text::PREFIX,
                        Some(b'N') => self.name,
                        Some(b'W') => self.verdict,
                        Some(b'o') => self.met,
                        _ => self.why,
                    };
                    words.push(out);
                    continue;
                }
            };
            quote(out, text, quoting);
        }
    }
}

/// Appends a text in which some characters are replaced, each as its languages do it.
#[cold]
#[inline(never)]
fn quote(out: &mut String, text: &str, quoting: [u8; 3]) {
    for mut letter in text.chars() {
        if quoting.iter().any(|&quoted| letter == char::from(quoted)) {
            if letter == '\'' {
                // Ends the text, and begins it anew behind a quote.
                out.push(letter);
            }
            out.push('\\');
            match letter {
                '\n' => letter = 'n',
                '\'' => out.push(letter),
                // In a comment of C the star is spelled as JSON spells it.
                '*' => {
                    out.push_str("u002");
                    letter = 'a';
                }
                _ => {}
            }
        }
        out.push(letter);
    }
}
