//! Files and descriptors: a fixed set of paths, memfds, pipes, and their content.

use crate::areas::align_down;
use kernel::{Errno, Fd, OpenMode, Pipe};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The file that shows the mappings of the process.
pub const SMAPS: &str = "/proc/self/smaps";

/// The most bytes that one read of a file of `/proc` returns: `seq_read_iter`, `fs/seq_file.c`,
/// fills a buffer of one page.
const PROC_READ_MAX: usize = 4096;
/// Bytes that a pipe holds, `pipe(7)`.
const PIPE_CAPACITY: usize = 1 << 16;
/// Descriptors 0 to 2 are open without an entry in the table.
const FIRST_FREE_FD: Fd = 3;

/// The kind of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A memfd or a file of tmpfs: `mm/shmem.c`, without `mmap_supported_flags`.
    Memory,
    /// A file system without `MAP_SYNC` and without `O_TMPFILE`.
    Disk,
    /// ext4 without DAX: `mmap_supported_flags` has `MAP_SYNC`, and `ext4_file_mmap` in
    /// `fs/ext4/file.c` rejects it.
    Ext4,
    /// ext4, mounted with `-o dax`.
    Dax,
    /// `/dev/zero`, `drivers/char/mem.c`.
    Zero,
    /// A file of huge pages, `fs/hugetlbfs/inode.c`.
    Huge,
    /// A directory.
    Directory,
    /// A pipe, which cannot be mapped.
    Pipe,
    /// A device that cannot be mapped, such as `/dev/null`.
    Device,
    /// `/proc/self/smaps`, or a file of sysfs.
    Smaps,
}

/// Whether a file can be opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadWrite,
    /// Opening for writing fails.
    ReadOnly(Errno),
}

/// A file.
#[derive(Clone, Debug)]
pub struct Node {
    pub kind: Kind,
    /// `None` for a memfd, a pipe, and a file that was removed.
    pub path: Option<String>,
    /// Whether the program created it.
    pub created: bool,
    access: Access,
    /// Bytes.
    pub size: usize,
    /// The bytes that are not zero, by offset.
    pub bytes: BTreeMap<usize, u8>,
    /// Offsets of the pages in the page cache.
    pub cache: BTreeSet<usize>,
    pipe: VecDeque<u8>,
}

impl Node {
    /// Whether the process could open the file for writing.
    pub fn is_writable(&self) -> bool {
        self.access == Access::ReadWrite
    }
}

/// An open file.
#[derive(Clone, Debug)]
pub struct OpenFile {
    /// The index of the file.
    pub node: usize,
    /// `FMODE_READ`.
    pub read: bool,
    /// `FMODE_WRITE`.
    pub write: bool,
    position: usize,
    /// The content of a file of `/proc`, from the first read on.
    pub snapshot: Option<Vec<u8>>,
}

/// All files and descriptors.
#[derive(Clone, Debug)]
pub struct Files {
    pub nodes: Vec<Node>,
    pub open: BTreeMap<Fd, OpenFile>,
    page_size: usize,
}

/// Every path that exists at the start, with its size. A file that is created in a directory has
/// the kind of the directory's `file`.
const TREE: [(&str, Kind, usize, Access); 16] = [
    ("/ext4", Kind::Directory, 0, Access::ReadWrite),
    ("/ext4/file", Kind::Ext4, 1 << 20, Access::ReadWrite),
    ("/ext4/forbidden", Kind::Ext4, 1 << 20, Access::ReadOnly(Errno::EACCES)),
    ("/dax", Kind::Directory, 0, Access::ReadWrite),
    ("/dax/file", Kind::Dax, 1 << 20, Access::ReadWrite),
    ("/tmpfs", Kind::Directory, 0, Access::ReadWrite),
    ("/tmpfs/file", Kind::Memory, 1 << 20, Access::ReadWrite),
    ("/disk", Kind::Directory, 0, Access::ReadWrite),
    ("/disk/file", Kind::Disk, 1 << 20, Access::ReadWrite),
    ("/readonly", Kind::Directory, 0, Access::ReadOnly(Errno::EROFS)),
    ("/readonly/file", Kind::Ext4, 1 << 20, Access::ReadOnly(Errno::EROFS)),
    ("/hugetlbfs", Kind::Directory, 0, Access::ReadWrite),
    ("/hugetlbfs/file", Kind::Huge, 1 << 21, Access::ReadWrite),
    ("/dev/null", Kind::Device, 0, Access::ReadWrite),
    ("/dev/zero", Kind::Zero, 0, Access::ReadWrite),
    (SMAPS, Kind::Smaps, 0, Access::ReadOnly(Errno::EACCES)),
];

/// Writes bytes into a map that holds only those that are not zero.
pub fn write_sparse(map: &mut BTreeMap<usize, u8>, start: usize, bytes: &[u8]) {
    for (at, &byte) in (start..).zip(bytes) {
        match byte {
            0 => map.remove(&at),
            _ => map.insert(at, byte),
        };
    }
}

impl Files {
    /// The files that exist at the start.
    pub fn new(page_size: usize) -> Files {
        let mut files = Files { nodes: Vec::new(), open: BTreeMap::new(), page_size };
        for (path, kind, size, access) in TREE {
            let node = files.create(kind, Some(path.to_string()), access);
            files.nodes[node].size = size;
            files.nodes[node].created = false;
        }
        files
    }

    fn create(&mut self, kind: Kind, path: Option<String>, access: Access) -> usize {
        self.nodes.push(Node {
            kind,
            path,
            created: true,
            access,
            size: 0,
            bytes: BTreeMap::new(),
            cache: BTreeSet::new(),
            pipe: VecDeque::new(),
        });
        self.nodes.len() - 1
    }

    fn open_node(&mut self, node: usize, read: bool, write: bool) -> Fd {
        let is_unused = |fd: &Fd| !self.open.contains_key(fd);
        let fd = (FIRST_FREE_FD..).find(is_unused).expect("an unused descriptor");
        self.open.insert(fd, OpenFile { node, read, write, position: 0, snapshot: None });
        fd
    }

    /// Opens a file of sysfs with this content for reading.
    pub fn open_snapshot(&mut self, content: Vec<u8>) -> Fd {
        let node = self.create(Kind::Smaps, None, Access::ReadOnly(Errno::EACCES));
        let fd = self.open_node(node, true, false);
        self.open.entry(fd).and_modify(|open| open.snapshot = Some(content));
        fd
    }

    pub fn memfd_create(&mut self) -> Fd {
        let node = self.create(Kind::Memory, None, Access::ReadWrite);
        self.open_node(node, true, true)
    }

    pub fn pipe(&mut self) -> Pipe {
        let node = self.create(Kind::Pipe, None, Access::ReadWrite);
        Pipe {
            read_end: self.open_node(node, true, false),
            write_end: self.open_node(node, false, true),
        }
    }

    /// The index of the file with this path.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.path.as_deref() == Some(path))
    }

    /// The kind of a new file in a directory.
    fn kind_in(&self, path: &str) -> Result<Kind, Errno> {
        let directory = self.find(path).ok_or(Errno::ENOENT)?;
        if self.nodes[directory].kind != Kind::Directory {
            return Err(Errno::ENOTDIR);
        }
        if let Access::ReadOnly(errno) = self.nodes[directory].access {
            return Err(errno);
        }
        let file = self.find(&format!("{path}/file")).ok_or(Errno::ENOENT)?;
        Ok(self.nodes[file].kind)
    }

    /// `openat(2)`.
    pub fn openat(&mut self, path: &str, mode: OpenMode) -> Result<Fd, Errno> {
        match (mode, self.find(path)) {
            (OpenMode::TmpFile, _) => match self.kind_in(path)? {
                Kind::Disk | Kind::Huge => Err(Errno::EOPNOTSUPP),
                kind => {
                    let node = self.create(kind, None, Access::ReadWrite);
                    Ok(self.open_node(node, true, true))
                }
            },
            (OpenMode::CreateNew, Some(_)) => Err(Errno::EEXIST),
            (OpenMode::CreateNew | OpenMode::Create, None) => {
                // The working directory is on tmpfs.
                let kind = match path.rsplit_once('/') {
                    Some((directory, _)) => self.kind_in(directory)?,
                    None => Kind::Memory,
                };
                let node = self.create(kind, Some(path.to_string()), Access::ReadWrite);
                Ok(self.open_node(node, mode == OpenMode::CreateNew, true))
            }
            (OpenMode::Read | OpenMode::ReadWrite | OpenMode::Device, None) => Err(Errno::ENOENT),
            (OpenMode::Read, Some(node)) => Ok(self.open_node(node, true, false)),
            (OpenMode::ReadWrite | OpenMode::Device, Some(node)) => {
                self.check_writable(node)?;
                Ok(self.open_node(node, true, true))
            }
            (OpenMode::Create, Some(node)) => {
                self.check_writable(node)?;
                self.empty(node);
                Ok(self.open_node(node, false, true))
            }
        }
    }

    fn check_writable(&self, node: usize) -> Result<(), Errno> {
        let node = &self.nodes[node];
        match (node.kind, node.access) {
            (Kind::Directory, _) => Err(Errno::EISDIR),
            (_, Access::ReadOnly(errno)) => Err(errno),
            (_, Access::ReadWrite) => Ok(()),
        }
    }

    /// `O_TRUNC`.
    fn empty(&mut self, node: usize) {
        let node = &mut self.nodes[node];
        node.size = 0;
        node.bytes.clear();
        node.cache.clear();
    }

    /// `unlinkat(2)`. Panics if the program did not create the file.
    pub fn unlink(&mut self, path: &str) -> Result<(), Errno> {
        let found = self.find(path).ok_or(Errno::ENOENT)?;
        let node = &mut self.nodes[found];
        assert!(node.created, "the program removes {path}, which it did not create");
        node.path = None;
        Ok(())
    }

    /// `write(2)`. Bytes for descriptors 1 and 2 go to `console`.
    pub fn write(&mut self, fd: Fd, bytes: &[u8], console: &mut Vec<u8>) -> Result<usize, Errno> {
        let Some(&OpenFile { node, position, write, .. }) = self.open.get(&fd) else {
            if fd != 1 && fd != 2 {
                return Err(Errno::EBADF);
            }
            console.extend(bytes);
            return Ok(bytes.len());
        };
        if !write {
            return Err(Errno::EBADF);
        }
        match self.nodes[node].kind {
            Kind::Pipe => self.write_pipe(node, bytes)?,
            Kind::Zero | Kind::Device => {}
            Kind::Huge => return Err(Errno::EINVAL),
            Kind::Memory | Kind::Disk | Kind::Ext4 | Kind::Dax | Kind::Directory | Kind::Smaps => {
                self.write_at(node, position, bytes);
                self.open.entry(fd).and_modify(|open| open.position += bytes.len());
            }
        }
        Ok(bytes.len())
    }

    fn write_pipe(&mut self, node: usize, bytes: &[u8]) -> Result<(), Errno> {
        if !self.open.values().any(|open| open.node == node && open.read) {
            return Err(Errno::EPIPE);
        }
        let pipe = &mut self.nodes[node].pipe;
        let fits = pipe.len() + bytes.len() <= PIPE_CAPACITY;
        assert!(fits, "the program blocks forever: the pipe is full");
        pipe.extend(bytes);
        Ok(())
    }

    /// Writes bytes into a regular file, which grows if necessary.
    fn write_at(&mut self, node: usize, offset: usize, bytes: &[u8]) {
        let page_size = self.page_size;
        let node = &mut self.nodes[node];
        let end = offset + bytes.len();
        write_sparse(&mut node.bytes, offset, bytes);
        node.cache.extend((align_down(offset, page_size)..end).step_by(page_size));
        node.size = node.size.max(end);
    }

    /// The bytes that `read(2)` would return, at most `count`; `None` if it would block.
    pub fn peek(&mut self, fd: Fd, count: usize) -> Result<Option<Vec<u8>>, Errno> {
        let Some(open) = self.open.get(&fd) else {
            // Standard input, output and error are open; nothing ever arrives there.
            let is_standard = (0..FIRST_FREE_FD).contains(&fd);
            return if is_standard { Ok(Some(Vec::new())) } else { Err(Errno::EBADF) };
        };
        if !open.read {
            return Err(Errno::EBADF);
        }
        let (node, position) = (open.node, open.position);
        match self.nodes[node].kind {
            Kind::Directory => Err(Errno::EISDIR),
            Kind::Pipe => {
                let has_writer = self.open.values().any(|open| open.node == node && open.write);
                let bytes: Vec<u8> = self.nodes[node].pipe.iter().copied().take(count).collect();
                let would_block = bytes.is_empty() && has_writer && count != 0;
                Ok((!would_block).then_some(bytes))
            }
            Kind::Zero => Ok(Some(vec![0; count])),
            Kind::Smaps => {
                let content = open.snapshot.as_deref().unwrap_or_default();
                let rest = content.get(position..).unwrap_or_default();
                Ok(Some(rest[..rest.len().min(count).min(PROC_READ_MAX)].to_vec()))
            }
            Kind::Memory | Kind::Disk | Kind::Ext4 | Kind::Dax | Kind::Huge | Kind::Device => {
                Ok(Some(self.read_at(node, position, count)))
            }
        }
    }

    /// Moves past bytes that were read.
    pub fn consume(&mut self, fd: Fd, count: usize) {
        let Some(open) = self.open.get_mut(&fd) else { return };
        open.position += count;
        let pipe = &mut self.nodes[open.node].pipe;
        pipe.drain(..count.min(pipe.len()));
    }

    /// `pread64(2)`.
    pub fn pread(&mut self, fd: Fd, offset: usize, count: usize) -> Result<Vec<u8>, Errno> {
        let open = self.open.get(&fd).filter(|open| open.read).ok_or(Errno::EBADF)?;
        match self.nodes[open.node].kind {
            Kind::Pipe => Err(Errno::ESPIPE),
            Kind::Directory => Err(Errno::EISDIR),
            Kind::Zero => Ok(vec![0; count]),
            _ => Ok(self.read_at(open.node, offset, count)),
        }
    }

    /// Reads bytes of a file, and so brings its pages into the page cache.
    fn read_at(&mut self, node: usize, offset: usize, count: usize) -> Vec<u8> {
        let page_size = self.page_size;
        let node = &mut self.nodes[node];
        let end = node.size.min(offset.saturating_add(count));
        if offset < end {
            node.cache.extend((align_down(offset, page_size)..end).step_by(page_size));
        }
        (offset..end).map(|at| node.bytes.get(&at).copied().unwrap_or(0)).collect()
    }
}
