//! The files the user named, opened so that they can be mapped and cannot be changed: nothing is ever stored through them. In a
//! directory it is a scratch file without a name.

use crate::command::{about, of_file};
use crate::errno::Errno;
use crate::kernel::{Fd, How, Kernel};
use crate::text::Text;

/// Paths at most: their places are numbered in a byte.
const MOST: usize = 64;

/// What stands for bytes of an argument that are not UTF-8: U+FFFD.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// Open files, in the order they were named.
#[derive(Debug, Default)]
pub struct Paths {
    files: Vec<Fd>,
}

impl Paths {
    /// Opens all of them, or none: the error says which one cannot be opened.
    pub fn open(kernel: &mut dyn Kernel, paths: &[String]) -> Result<Paths, String> {
        let mut opened = Paths::default();
        for path in paths {
            let file = if opened.files.len() == MOST {
                Err(of_file(path, Text::ONE_PATH_TOO_MANY))
            } else if path.as_bytes().windows(3).any(|bytes| bytes == REPLACEMENT) {
                Err(of_file(path, Text::MUST_BE_UTF_8))
            } else {
                open(kernel, path).map_err(|errno| about(path, Text::CANNOT_BE_OPENED, errno))
            };
            match file {
                Ok(file) => opened.files.push(file),
                Err(complaint) => {
                    opened.close(kernel);
                    return Err(complaint);
                }
            }
        }
        Ok(opened)
    }

    /// The descriptors.
    pub fn files(&self) -> &[Fd] {
        &self.files
    }

    /// Closes all of them.
    pub fn close(self, kernel: &mut dyn Kernel) {
        for file in self.files {
            kernel.close(file);
        }
    }
}

/// Opens a file for reading and writing, since some flags depend on that, or for reading where it must not be written. A directory
/// gets a scratch file.
#[cold]
fn open(kernel: &mut dyn Kernel, path: &str) -> Result<Fd, Errno> {
    let mut answer = kernel.open(path, How::ReadWrite).result();
    if answer == Err(Errno::EISDIR) {
        return scratch(kernel, path);
    }
    if answer.is_err() {
        answer = kernel.open(path, How::Read).result();
    }
    answer.map(|file| file as Fd)
}

/// A file in a directory that is gone when it is closed: one that never has a name, or one whose name is removed at once.
#[cold]
fn scratch(kernel: &mut dyn Kernel, directory: &str) -> Result<Fd, Errno> {
    if let Ok(file) = kernel.open(directory, How::Nameless).result() {
        return Ok(file as Fd);
    }
    let mut name = String::from(directory);
    name.push_str("/.mapprobe.scratch");
    let file = kernel.open(&name, How::New).result()?;
    kernel.unlink(&name);
    Ok(file as Fd)
}
