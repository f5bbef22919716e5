//! `atlas validate`: every document against the schema it names.

use crate::outcome::{Outcome, SAME, TROUBLE};
use crate::schema::Schemas;
use crate::{input, outcome};
use anyhow::Result;
use std::path::Path;

/// Checks the documents of some files: one line for each place that does not fit. Exit codes: 0 all fit, 1 some do not, 2 there
/// is something that cannot be checked.
///
/// # Errors
/// The schemas themselves are broken.
pub fn validate<P: AsRef<Path>>(files: &[P]) -> Result<Outcome> {
    let schemas = Schemas::load()?;
    let (mut documents, mut unfit) = (0, 0);
    let mut outcome = Outcome { text: String::new(), complaints: Vec::new(), exit: SAME };
    for file in files {
        let found = input::read(file.as_ref()).unwrap_or_else(|error| vec![Err(error)]);
        for found in found {
            let checked = found.and_then(|found| {
                let faults = schemas
                    .faults(&found.value)
                    .map_err(|error| error.context(found.place.to_string()))?;
                Ok((found.place, faults))
            });
            match checked {
                Ok((place, faults)) => {
                    documents += 1;
                    unfit += usize::from(!faults.is_empty());
                    for fault in faults {
                        outcome.text += &format!("{place}: {}: {}\n", fault.pointer, fault.what);
                    }
                }
                Err(error) => outcome.complaints.push(format!("{error:#}")),
            }
        }
    }
    let plural = if documents == 1 { "document" } else { "documents" };
    outcome.text += &match unfit {
        0 => format!("{documents} {plural}, all valid\n"),
        _ => format!("{documents} {plural}, {unfit} not valid\n"),
    };
    outcome.exit = if !outcome.complaints.is_empty() {
        TROUBLE
    } else if unfit > 0 {
        outcome::DIFFERENT
    } else {
        SAME
    };
    Ok(outcome)
}
