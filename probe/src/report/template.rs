//! What the formats of lines have in common: each is a form, a few texts with places that are filled in. Knows no format.
//!
//! A place is `%` and a letter:
//!
//! | place | what is filled in |
//! |---|---|
//! | `%t` | who asked what kernel, fit for a comment of any language |
//! | `%a` `%r` | the architecture; the kernel's release, quoted |
//! | `%p` | what names begin with |
//! | `%c` | how many rows there are |
//! | `%i` `%n` `%w` | a row: its number from 1, its flag, its verdict |
//! | `%s` | why, in a few words |
//! | `%o` | `ok`, or `not ok` when the row is required and not met |
//!
//! Of a thing in the environment, `%n` is the name and `%s` what gave it away.

use super::{Report, sentence};
use crate::kernel::Word;
use crate::text::Text;
use crate::verdict::Verdict;

/// A form. In its order: what stands first, for each thing in the environment, what stands before the rows, and for each row whose flag is
/// there (honored, accepted), is not (ignored, unknown, unavailable), does not exist (absent), and where nobody can tell (inconclusive). An
/// empty one of the last three is as the one before it.
pub type Form = [&'static str; 7];

const ENVIRONMENT: usize = 1;
const BODY: usize = 2;
const THERE: usize = 3;
const NOT_THERE: usize = 4;
const ABSENT: usize = 5;
const OPEN: usize = 6;

/// What stands for characters that would end a quoted text.
pub type Quoting = [(char, &'static str)];

/// What names begin with unless the user says otherwise.
const PREFIX: Text = Text::PREFIX;

/// What is filled in.
struct Places<'r> {
    report: &'r Report,
    quoting: &'r Quoting,
    number: usize,
    name: Text,
    verdict: Text,
    met: Text,
    why: String,
}

/// Fills a form, whose texts are those from `form` on.
#[cold]
pub fn fill(report: &Report, form: Text, quoting: &Quoting) -> String {
    let mut out = String::new();
    let nothing = Text::OK;
    let mut places =
        Places { report, quoting, number: 0, name: nothing, verdict: nothing, met: nothing, why: String::new() };
    places.part(&mut out, form);
    for (name, evidence) in report.lies() {
        places.name = name;
        places.why.clear();
        evidence.push(&mut places.why);
        places.part(&mut out, form.nth(ENVIRONMENT));
    }
    places.part(&mut out, form.nth(BODY));
    for (at, row) in report.rows.iter().enumerate() {
        let (verdict, reason) = &row.finding;
        let required = report.requires(at);
        let mut part = match verdict {
            Verdict::Honored | Verdict::Accepted => THERE,
            Verdict::Ignored | Verdict::Unknown | Verdict::Unavailable => NOT_THERE,
            // What does not exist can be required all the same.
            Verdict::Absent if required => NOT_THERE,
            Verdict::Absent => ABSENT,
            Verdict::Inconclusive => OPEN,
        };
        (places.number, places.name, places.verdict) = (at + 1, row.flag.name, verdict.word());
        places.met = if required && part == NOT_THERE { Text::NOT_OK } else { Text::OK };
        places.why.clear();
        sentence::words(reason).push(&mut places.why);
        while part > THERE && form.nth(part).string().is_empty() {
            part -= 1;
        }
        places.part(&mut out, form.nth(part));
    }
    out
}

impl Places<'_> {
    #[cold]
    fn part(&self, out: &mut String, part: Text) {
        let report = self.report;
        let part = part.string();
        let mut letters = part.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                out.push(letter);
                continue;
            }
            match letters.next() {
                Some('t') => sentence::title(out, report),
                Some('a') => out.push_str(report.arch.name()),
                Some('r') => replace(out, &report.kernel.release, self.quoting),
                Some('p') => match &report.style.prefix {
                    Some(prefix) => out.push_str(prefix),
                    None => PREFIX.push(out),
                },
                Some('c') => sentence::number(out, report.rows.len() as Word),
                Some('i') => sentence::number(out, self.number as Word),
                Some('n') => self.name.push(out),
                Some('w') => self.verdict.push(out),
                Some('o') => self.met.push(out),
                _ => out.push_str(&self.why),
            }
        }
    }
}

/// Appends a text in which some characters are replaced.
#[cold]
pub fn replace(out: &mut String, text: &str, by: &Quoting) {
    for letter in text.chars() {
        match by.iter().find(|(replaced, _)| *replaced == letter) {
            Some((_, by)) => out.push_str(by),
            None => out.push(letter),
        }
    }
}
