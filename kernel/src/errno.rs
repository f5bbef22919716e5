//! Error numbers by name.
//!
//! The numbers are those of `include/uapi/asm-generic/errno-base.h` and `errno.h`, on every
//! architecture. The backend of an architecture with other numbers (parisc) translates them.

use core::fmt;

/// The error number of a failed system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident $number:literal)*) => {
        impl Errno {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                pub const $name: Errno = Errno($number);
            )*
        }

        const NAMES: &[(Errno, &str)] = &[$((Errno::$name, stringify!($name))),*];
    };
}

errnos! {
    EPERM 1 ENOENT 2 ESRCH 3 EINTR 4 EIO 5 ENXIO 6 E2BIG 7 ENOEXEC 8 EBADF 9 ECHILD 10 EAGAIN 11
    ENOMEM 12 EACCES 13 EFAULT 14 EBUSY 16 EEXIST 17 ENODEV 19 ENOTDIR 20 EISDIR 21 EINVAL 22
    ENFILE 23 EMFILE 24 ENOTTY 25 ETXTBSY 26 EFBIG 27 ENOSPC 28 ESPIPE 29 EROFS 30 EPIPE 32
    ENAMETOOLONG 36 ENOSYS 38 ELOOP 40 EOVERFLOW 75 EOPNOTSUPP 95 ESTALE 116 EDQUOT 122
    // Internal to the kernel (`include/linux/errno.h`); it reaches programs only by mistake.
    ENOTSUPP 524
}

impl Errno {
    /// The name of the error; `None` for a number that is not listed above.
    pub fn name(self) -> Option<&'static str> {
        let found = NAMES.iter().find(|(errno, _)| *errno == self);
        found.map(|&(_, name)| name)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "errno {}", self.0),
        }
    }
}
