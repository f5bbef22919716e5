//! Text from the kernel and the user in reports: printable ASCII; all else is escaped as in JSON.

use core::fmt::{self, Write};

/// Displays a text escaped as in a JSON string.
pub struct Escaped<'t>(pub &'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for unit in self.0.encode_utf16() {
            match u8::try_from(unit) {
                Ok(quoted @ (b'"' | b'\\')) => write!(f, "\\{}", char::from(quoted))?,
                Ok(plain @ b' '..=b'~') => f.write_char(char::from(plain))?,
                _ => write!(f, "\\u{unit:04x}")?,
            }
        }
        Ok(())
    }
}
