//! Text in columns that fits 80 characters: the last one is wrapped between words.

/// Characters of a line.
const WIDTH: usize = 80;

/// The last cell of a line that began at `start`, a text that is wrapped between words in its column. It is taken away.
#[cold]
pub fn wrap(out: &mut String, mut start: usize, text: &mut String, column: usize) {
    pad(out, start + column);
    for word in text.as_bytes().split(|&byte| byte == b' ') {
        if out.len() > start + column {
            if out.len() - start + word.len() < WIDTH {
                out.push(' ');
            } else {
                out.push('\n');
                start = out.len();
                pad(out, start + column);
            }
        }
        out.push_str(crate::kernel::text(word));
    }
    out.push('\n');
    text.clear();
}

/// Fills up with spaces.
pub fn pad(out: &mut String, column: usize) {
    while out.len() < column {
        out.push(' ');
    }
}
