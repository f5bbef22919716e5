//! Text in columns that fits 80 characters: the last one is wrapped between words.

/// Characters of a line.
const WIDTH: usize = 80;

/// The last cell of a line that began at `start`, a text that is wrapped between words in its column.
#[cold]
pub fn wrap(out: &mut String, mut start: usize, text: &str, column: usize) {
    pad(out, start + column);
    let mut rest = text.as_bytes();
    loop {
        let mut len = 0;
        while rest.get(len).is_some_and(|&byte| byte != b' ') {
            len += 1;
        }
        if out.len() > start + column {
            if out.len() - start + len < WIDTH {
                out.push(' ');
            } else {
                out.push('\n');
                start = out.len();
                pad(out, start + column);
            }
        }
        out.push_str(crate::kernel::text(rest.get(..len).unwrap_or_default()));
        let Some(behind) = rest.get(len + 1..) else { break };
        rest = behind;
    }
    out.push('\n');
}

/// Fills up with spaces.
pub fn pad(out: &mut String, column: usize) {
    while out.len() < column {
        out.push(' ');
    }
}
