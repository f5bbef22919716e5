//! Files and descriptors: a handful of paths, pipes, what is made of nothing, and what was written where.

use super::{Errno, Fd, How};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Pages of memory: a memfd, or a file of tmpfs. Never asked about `MAP_SYNC` when it is mapped.
    Memory,
    /// A file system that knows nothing of `MAP_SYNC` and cannot make nameless files.
    Disk,
    /// ext4: `mmap_supported_flags` has `MAP_SYNC`, and its own hook refuses it, `fs/ext4/file.c`.
    Ext4,
    /// ext4 mounted with `-o dax`.
    Dax,
    /// `/dev/zero`, `drivers/char/mem.c`.
    Zero,
    /// A file of huge pages, `fs/hugetlbfs/inode.c`.
    Huge,
    /// A folder.
    Folder,
    /// A pipe; like what follows, it cannot be mapped.
    Pipe,
    /// A device such as `/dev/null`.
    Device,
    /// `/proc/self/smaps`.
    Smaps,
}

/// Who may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Allowed,
    Refused(Errno),
}

/// A file.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Its name, as long as it has one.
    pub path: Option<String>,
    /// Whether the program made it.
    pub made: bool,
    writing: Writing,
    /// Bytes.
    pub size: u64,
    /// Those that are not zero.
    pub bytes: BTreeMap<u64, u8>,
    /// Pages, by the offset they begin at, that are in memory.
    pub cache: BTreeSet<u64>,
    pipe: VecDeque<u8>,
}

impl Node {
    /// Whether the process could open it for writing.
    pub fn is_writable(&self) -> bool {
        self.writing == Writing::Allowed
    }
}

/// A descriptor.
#[derive(Clone, Debug)]
pub struct Open {
    /// The number of the file.
    pub node: usize,
    /// `FMODE_READ`.
    pub read: bool,
    /// `FMODE_WRITE`.
    pub write: bool,
    at: u64,
    /// What is read from a file of /proc: made when reading begins.
    pub text: Option<Vec<u8>>,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct Files {
    /// By number.
    pub nodes: Vec<Node>,
    /// By descriptor.
    pub open: BTreeMap<Fd, Open>,
    page: u64,
}

/// What a system call on files answers.
type Result<T> = std::result::Result<T, Errno>;

/// Every path there is. Folders pass their kind on to files made in them.
const TREE: [(&str, Kind, u64, Writing); 16] = [
    ("/ext4", Kind::Folder, 0, Writing::Allowed),
    ("/ext4/file", Kind::Ext4, 1 << 20, Writing::Allowed),
    ("/ext4/forbidden", Kind::Ext4, 1 << 20, Writing::Refused(Errno::EACCES)),
    ("/dax", Kind::Folder, 0, Writing::Allowed),
    ("/dax/file", Kind::Dax, 1 << 20, Writing::Allowed),
    ("/tmpfs", Kind::Folder, 0, Writing::Allowed),
    ("/tmpfs/file", Kind::Memory, 1 << 20, Writing::Allowed),
    ("/disk", Kind::Folder, 0, Writing::Allowed),
    ("/disk/file", Kind::Disk, 1 << 20, Writing::Allowed),
    ("/readonly", Kind::Folder, 0, Writing::Refused(Errno::EROFS)),
    ("/readonly/file", Kind::Ext4, 1 << 20, Writing::Refused(Errno::EROFS)),
    ("/hugetlbfs", Kind::Folder, 0, Writing::Allowed),
    ("/hugetlbfs/file", Kind::Huge, 1 << 21, Writing::Allowed),
    ("/dev/null", Kind::Device, 0, Writing::Allowed),
    ("/dev/zero", Kind::Zero, 0, Writing::Allowed),
    (SMAPS, Kind::Smaps, 0, Writing::Refused(Errno::EACCES)),
];

/// The file with the mappings of a process.
pub const SMAPS: &str = "/proc/self/smaps";

/// Keeps what is not zero.
pub fn put(place: &mut BTreeMap<u64, u8>, at: u64, bytes: &[u8]) {
    for (at, &byte) in (at..).zip(bytes) {
        match byte {
            0 => place.remove(&at),
            _ => place.insert(at, byte),
        };
    }
}

impl Files {
    /// What is there before the program does anything.
    pub fn new(page: u64) -> Files {
        let mut files = Files { nodes: Vec::new(), open: BTreeMap::new(), page };
        for (path, kind, size, writing) in TREE {
            let node = files.add(kind, Some(path.to_string()), writing);
            files.nodes[node].size = size;
            files.nodes[node].made = false;
        }
        files
    }

    fn add(&mut self, kind: Kind, path: Option<String>, writing: Writing) -> usize {
        self.nodes.push(Node {
            kind,
            path,
            made: true,
            writing,
            size: 0,
            bytes: BTreeMap::new(),
            cache: BTreeSet::new(),
            pipe: VecDeque::new(),
        });
        self.nodes.len() - 1
    }

    fn descriptor(&mut self, node: usize, read: bool, write: bool) -> Fd {
        let fd = (3..).find(|fd| !self.open.contains_key(fd)).unwrap_or(3);
        self.open.insert(fd, Open { node, read, write, at: 0, text: None });
        fd
    }

    /// A file of memory without a name.
    pub fn memfd(&mut self) -> Fd {
        let node = self.add(Kind::Memory, None, Writing::Allowed);
        self.descriptor(node, true, true)
    }

    /// The reading end, then the writing end.
    pub fn pipe(&mut self) -> (Fd, Fd) {
        let node = self.add(Kind::Pipe, None, Writing::Allowed);
        (self.descriptor(node, true, false), self.descriptor(node, false, true))
    }

    /// The number of the file with this name.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.nodes.iter().position(|node| node.path.as_deref() == Some(path))
    }

    /// The folder a new file is to be in: what its files are, whether they can be nameless.
    fn folder(&self, path: &str) -> Result<Kind> {
        let folder = self.find(path).ok_or(Errno::ENOENT)?;
        if self.nodes[folder].kind != Kind::Folder {
            return Err(Errno::ENOTDIR);
        }
        if let Writing::Refused(errno) = self.nodes[folder].writing {
            return Err(errno);
        }
        let example = self.find(&format!("{path}/file")).ok_or(Errno::ENOENT)?;
        Ok(self.nodes[example].kind)
    }

    /// `openat`.
    pub fn openat(&mut self, path: &str, how: How) -> Result<Fd> {
        let found = self.find(path);
        let (node, read, write) = match (how, found) {
            (How::Nameless, _) => match self.folder(path)? {
                Kind::Disk | Kind::Huge => return Err(Errno::EOPNOTSUPP),
                kind => (self.add(kind, None, Writing::Allowed), true, true),
            },
            (How::New, Some(_)) => return Err(Errno::EEXIST),
            (How::New | How::Create, None) => {
                // A relative name is in a folder of memory.
                let kind = path
                    .rsplit_once('/')
                    .map_or(Ok(Kind::Memory), |(folder, _)| self.folder(folder))?;
                (self.add(kind, Some(path.to_string()), Writing::Allowed), how == How::New, true)
            }
            (_, None) => return Err(Errno::ENOENT),
            (How::Read, Some(node)) => (node, true, false),
            (How::ReadWrite | How::Create | How::Device, Some(node)) => {
                match (self.nodes[node].kind, self.nodes[node].writing) {
                    (Kind::Folder, _) => return Err(Errno::EISDIR),
                    (_, Writing::Refused(errno)) => return Err(errno),
                    _ => (node, how != How::Create, true),
                }
            }
        };
        if how == How::Create {
            let Node { size, bytes, cache, .. } = &mut self.nodes[node];
            *size = 0;
            bytes.clear();
            cache.clear();
        }
        Ok(self.descriptor(node, read, write))
    }

    /// `unlinkat`. Removing what the program did not make ends the test.
    pub fn unlink(&mut self, path: &str) -> Result<()> {
        let found = self.find(path).ok_or(Errno::ENOENT)?;
        let node = &mut self.nodes[found];
        assert!(node.made, "the program removes {path}, which it did not make");
        node.path = None;
        Ok(())
    }

    /// Puts bytes into a file, which grows as it has to.
    fn put(&mut self, node: usize, at: u64, bytes: &[u8]) {
        let page = self.page;
        let node = &mut self.nodes[node];
        let end = at + bytes.len() as u64;
        put(&mut node.bytes, at, bytes);
        node.cache.extend((at - at % page..end).step_by(page as usize));
        node.size = node.size.max(end);
    }

    /// `write`; descriptors 1 and 2 are `console`.
    pub fn write(&mut self, fd: Fd, bytes: &[u8], console: &mut Vec<u8>) -> Result<usize> {
        let Some(&Open { node, at, write, .. }) = self.open.get(&fd) else {
            if fd != 1 && fd != 2 {
                return Err(Errno::EBADF);
            }
            console.extend(bytes);
            return Ok(bytes.len());
        };
        match self.nodes[node].kind {
            _ if !write => return Err(Errno::EBADF),
            Kind::Pipe if !self.open.values().any(|open| open.node == node && open.read) => {
                return Err(Errno::EPIPE);
            }
            Kind::Pipe => {
                let pipe = &mut self.nodes[node].pipe;
                assert!(
                    pipe.len() + bytes.len() <= 1 << 16,
                    "the program waits for ever: the pipe is full"
                );
                pipe.extend(bytes);
            }
            Kind::Zero | Kind::Device => {}
            Kind::Huge => return Err(Errno::EINVAL),
            _ => {
                self.put(node, at, bytes);
                self.open.entry(fd).and_modify(|open| open.at += bytes.len() as u64);
            }
        }
        Ok(bytes.len())
    }

    /// What `read` would give, at most `count` bytes; `None` if it would wait.
    pub fn peek(&mut self, fd: Fd, count: usize) -> Result<Option<Vec<u8>>> {
        let Some(open) = self.open.get(&fd) else {
            return if (0..3).contains(&fd) { Ok(Some(Vec::new())) } else { Err(Errno::EBADF) };
        };
        let (node, at) = (open.node, open.at);
        let writer = self.open.values().any(|open| open.node == node && open.write);
        match self.nodes[node].kind {
            _ if !open.read => Err(Errno::EBADF),
            Kind::Folder => Err(Errno::EISDIR),
            Kind::Pipe => {
                let bytes: Vec<u8> = self.nodes[node].pipe.iter().copied().take(count).collect();
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty() || !writer || count == 0))
            }
            Kind::Zero => Ok(Some(vec![0; count])),
            // A file of /proc comes in pieces of a page, whatever the size of the buffer.
            Kind::Smaps => {
                let text = open.text.as_deref().unwrap_or_default();
                let rest = text.get(at as usize..).unwrap_or_default();
                Ok(Some(rest[..rest.len().min(count).min(4096)].to_vec()))
            }
            _ => Ok(Some(self.get(node, at, count))),
        }
    }

    /// Moves on behind what was read.
    pub fn consume(&mut self, fd: Fd, count: usize) {
        let Some(open) = self.open.get_mut(&fd) else { return };
        open.at += count as u64;
        let pipe = &mut self.nodes[open.node].pipe;
        pipe.drain(..count.min(pipe.len()));
    }

    /// `pread64`.
    pub fn pread(&mut self, fd: Fd, at: u64, count: usize) -> Result<Vec<u8>> {
        let open = self.open.get(&fd).filter(|open| open.read).ok_or(Errno::EBADF)?;
        match self.nodes[open.node].kind {
            Kind::Pipe => Err(Errno::ESPIPE),
            Kind::Folder => Err(Errno::EISDIR),
            Kind::Zero => Ok(vec![0; count]),
            _ => Ok(self.get(open.node, at, count)),
        }
    }

    /// Bytes of a file; reading brings its pages into memory.
    fn get(&mut self, node: usize, at: u64, count: usize) -> Vec<u8> {
        let page = self.page;
        let node = &mut self.nodes[node];
        let end = node.size.min(at.saturating_add(count as u64));
        (at..end)
            .map(|at| {
                node.cache.insert(at - at % page);
                node.bytes.get(&at).copied().unwrap_or(0)
            })
            .collect()
    }
}
