//! Text in columns that fits 80 characters. The last column is wrapped between words.

/// The characters of a line.
const WIDTH: usize = 80;

/// Appends the last cell of the line that begins at `line_start`, wrapped in its column.
/// `invisible` is the number of bytes of the line that a terminal does not show.
pub fn wrap_last_cell(
    out: &mut String,
    mut line_start: usize,
    invisible: usize,
    column: usize,
    text: &str,
) {
    line_start += invisible;
    pad(out, line_start + column);
    for word in text.split(' ') {
        if out.len() > line_start + column {
            if out.len() - line_start + word.len() < WIDTH {
                out.push(' ');
            } else {
                out.push('\n');
                line_start = out.len();
                pad(out, line_start + column);
            }
        }
        out.push_str(word);
    }
    out.push('\n');
}

/// Appends spaces up to a length.
pub fn pad(out: &mut String, len: usize) {
    while out.len() < len {
        out.push(' ');
    }
}
