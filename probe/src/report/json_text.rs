//! A writer of JSON text.

use super::escape::Escaped;
use super::wording::push;
use core::fmt;

/// How members are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Each member on its own line, except in flat objects and arrays.
    #[default]
    Lines,
    /// Everything in one line.
    OneLine,
}

/// Writes JSON member by member. Text of this program is ASCII without quotes and is not escaped;
/// text from the kernel and the user must be written by [`JsonText::escaped`].
#[derive(Default)]
pub struct JsonText {
    pub out: String,
    layout: Layout,
    /// The number of open objects and arrays.
    depth: usize,
    /// Whether the innermost open object or array has a member.
    has_member: bool,
    /// The depth of the outermost flat object or array that is open.
    flat_depth: Option<usize>,
}

impl JsonText {
    pub fn new(layout: Layout) -> JsonText {
        JsonText { layout, ..JsonText::default() }
    }

    fn is_flat(&self) -> bool {
        self.layout == Layout::OneLine || self.flat_depth.is_some()
    }

    pub fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.has_member = false;
    }

    /// Opens an object or array whose members share a line.
    pub fn open_flat(&mut self, bracket: char) {
        self.open(bracket);
        self.flat_depth.get_or_insert(self.depth);
    }

    pub fn close(&mut self, bracket: char) {
        self.depth -= 1;
        if self.has_member && !self.is_flat() {
            self.new_line();
        }
        if self.flat_depth == Some(self.depth + 1) {
            self.flat_depth = None;
        }
        self.out.push(bracket);
        self.has_member = true;
    }

    /// Begins the next member of an array.
    pub fn next(&mut self) {
        if self.has_member {
            self.out.push(',');
        }
        if !self.is_flat() {
            self.new_line();
        } else if self.has_member {
            self.out.push(' ');
        }
        self.has_member = true;
    }

    fn new_line(&mut self) {
        self.out.push('\n');
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
    }

    /// Begins the next member of an object.
    pub fn key(&mut self, name: &str) {
        self.next();
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\": ");
    }

    pub fn open_at(&mut self, key: &str, bracket: char) {
        self.key(key);
        self.open(bracket);
    }

    pub fn open_flat_at(&mut self, key: &str, bracket: char) {
        self.key(key);
        self.open_flat(bracket);
    }

    /// Begins a string, which is then appended to [`JsonText::out`].
    pub fn begin_string(&mut self, key: &str) {
        self.key(key);
        self.out.push('"');
    }

    pub fn end_string(&mut self) {
        self.out.push('"');
    }

    /// Writes a string of this program.
    pub fn string(&mut self, key: &str, text: &str) {
        self.begin_string(key);
        self.out.push_str(text);
        self.end_string();
    }

    /// Writes a string of this program, or null.
    pub fn optional(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.string(key, text),
            None => self.null(key),
        }
    }

    /// Writes a string from the kernel or the user.
    pub fn escaped(&mut self, key: &str, text: &str) {
        self.text(key, format_args!("{}", Escaped(text)));
    }

    /// Writes a string of this program that is put together.
    pub fn text(&mut self, key: &str, text: fmt::Arguments) {
        self.begin_string(key);
        push(&mut self.out, text);
        self.end_string();
    }

    fn word(&mut self, key: &str, word: &str) {
        self.key(key);
        self.out.push_str(word);
    }

    pub fn null(&mut self, key: &str) {
        self.word(key, "null");
    }

    pub fn boolean(&mut self, key: &str, value: Option<bool>) {
        self.word(key, value.map_or("null", |value| if value { "true" } else { "false" }));
    }

    pub fn number(&mut self, key: &str, value: Option<usize>) {
        match value {
            Some(value) => {
                self.key(key);
                push(&mut self.out, format_args!("{value}"));
            }
            None => self.null(key),
        }
    }

    /// Writes a number as a string, because some JSON readers do not keep 64 bits.
    pub fn hex(&mut self, key: &str, value: Option<usize>) {
        match value {
            Some(value) => self.text(key, format_args!("{value:#x}")),
            None => self.null(key),
        }
    }

    /// Writes the numbers of the bits in a mask as an array.
    pub fn bits(&mut self, key: &str, mask: usize) {
        self.open_flat_at(key, '[');
        for bit in 0..usize::BITS {
            if mask >> bit & 1 == 1 {
                self.next();
                push(&mut self.out, format_args!("{bit}"));
            }
        }
        self.close(']');
    }
}
