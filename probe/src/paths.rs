//! The files that the user named, opened so that they can be mapped. Nothing is ever stored to
//! them. For a directory, a scratch file in it is mapped.

use crate::error::{Error, FileProblem};
use kernel::{Errno, Fd, Kernel, OpenMode};

/// The most paths of one run.
pub const MOST: usize = 64;

/// The name of a scratch file, on file systems without `O_TMPFILE`.
const SCRATCH: &str = ".mapprobe.scratch";

/// How a file was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
}

impl Access {
    /// The word in a report.
    pub const fn word(self) -> &'static str {
        match self {
            Access::ReadWrite => "read-write",
            Access::ReadOnly => "read-only",
        }
    }
}

/// An open file.
#[derive(Clone, Copy, Debug)]
pub struct OpenPath {
    pub fd: Fd,
    pub access: Access,
    /// Whether it is a scratch file in a directory that the user named.
    pub is_scratch: bool,
}

/// Open files, in the order in which the user named them.
#[derive(Debug, Default)]
pub struct Paths {
    files: Vec<OpenPath>,
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

    fn open_next(&self, kernel: &mut dyn Kernel, path: &str) -> Result<OpenPath, Error> {
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

    pub fn files(&self) -> &[OpenPath] {
        &self.files
    }

    pub fn close(self, kernel: &mut dyn Kernel) {
        for file in self.files {
            kernel.close(file.fd);
        }
    }
}

/// Opens a file for reading and writing, because the results of some flags depend on it, or for
/// reading if it cannot be written.
fn open(kernel: &mut dyn Kernel, path: &str) -> Result<OpenPath, Errno> {
    let (access, is_scratch) = (Access::ReadWrite, false);
    match kernel.open(path, OpenMode::ReadWrite) {
        Ok(fd) => Ok(OpenPath { fd, access, is_scratch }),
        Err(Errno::EISDIR) => {
            let fd = open_scratch_file(kernel, path)?;
            Ok(OpenPath { fd, access, is_scratch: true })
        }
        Err(_) => {
            let fd = kernel.open(path, OpenMode::Read)?;
            Ok(OpenPath { fd, access: Access::ReadOnly, is_scratch })
        }
    }
}

/// Opens a new file in a directory, which disappears when the file is closed.
pub fn open_scratch_file(kernel: &mut dyn Kernel, directory: &str) -> Result<Fd, Errno> {
    if let Ok(file) = kernel.open(directory, OpenMode::TmpFile) {
        return Ok(file);
    }
    let path = format!("{directory}/{SCRATCH}");
    let file = kernel.open(&path, OpenMode::CreateNew)?;
    kernel.unlink(&path);
    Ok(file)
}
