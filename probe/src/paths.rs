//! The files that the user named, opened so that they can be mapped. Nothing is ever stored to
//! them. For a directory, a scratch file in it is mapped.

use crate::error::{Error, FileProblem};
use kernel::{Errno, Fd, Kernel, OpenMode};

/// The most paths of one run.
pub const MOST: usize = 64;

/// The name of a scratch file, on file systems without `O_TMPFILE`.
const SCRATCH: &str = ".mapprobe.scratch";

/// Open files, in the order in which the user named them.
#[derive(Debug, Default)]
pub struct Paths {
    files: Vec<Fd>,
}

impl Paths {
    /// Opens all of them or none.
    pub fn open(kernel: &mut dyn Kernel, paths: &[String]) -> Result<Paths, Error> {
        let mut opened = Paths::default();
        for path in paths {
            match opened.open_next(kernel, path) {
                Ok(file) => opened.files.push(file),
                Err(error) => {
                    opened.close(kernel);
                    return Err(error);
                }
            }
        }
        Ok(opened)
    }

    fn open_next(&self, kernel: &mut dyn Kernel, path: &str) -> Result<Fd, Error> {
        let path = path.to_owned();
        if self.files.len() == MOST {
            return Err(Error::TooManyPaths { path, most: MOST });
        }
        // What replaces an argument that is not UTF-8 (`kernel::str_or_replacement`).
        if path.chars().any(|character| character == char::REPLACEMENT_CHARACTER) {
            return Err(Error::NotUtf8 { path });
        }
        let problem = FileProblem::CannotOpen;
        open(kernel, &path).map_err(|errno| Error::File { path, problem, errno })
    }

    pub fn files(&self) -> &[Fd] {
        &self.files
    }

    pub fn close(self, kernel: &mut dyn Kernel) {
        for file in self.files {
            kernel.close(file);
        }
    }
}

/// Opens a file for reading and writing, because the results of some flags depend on it, or for
/// reading if it cannot be written.
fn open(kernel: &mut dyn Kernel, path: &str) -> Result<Fd, Errno> {
    match kernel.open(path, OpenMode::ReadWrite) {
        Ok(file) => Ok(file),
        Err(Errno::EISDIR) => open_scratch_file(kernel, path),
        Err(_) => kernel.open(path, OpenMode::Read),
    }
}

/// Opens a new file in a directory, which disappears when the file is closed.
fn open_scratch_file(kernel: &mut dyn Kernel, directory: &str) -> Result<Fd, Errno> {
    if let Ok(file) = kernel.open(directory, OpenMode::TmpFile) {
        return Ok(file);
    }
    let path = format!("{directory}/{SCRATCH}");
    let file = kernel.open(&path, OpenMode::CreateNew)?;
    kernel.unlink(&path);
    Ok(file)
}
