//! Error numbers by name. Inside the program an error has the number of `include/uapi/asm-generic/errno*.h` on every
//! architecture; the backend of an architecture that numbers them differently (parisc) translates.

use crate::text::Text;

/// What a system call failed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub u16);

macro_rules! errnos {
    ($($name:ident $number:literal)*) => {
        impl Errno {
            $(#[doc = concat!("`", stringify!($name), "`.")] pub const $name: Errno = Errno($number);)*

            /// The names, in the order of [`NUMBERS`].
            pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
        }
        const NUMBERS: &[u16] = &[$($number),*];
    };
}

errnos! {
    // Those that `mmap` answers a thousand times in a run: they are found first.
    EINVAL 22 ENODEV 19 EOPNOTSUPP 95 ENOMEM 12 EPERM 1 EEXIST 17 EFAULT 14
    ENOENT 2 EINTR 4 EIO 5 ENXIO 6 E2BIG 7 ENOEXEC 8 EBADF 9 EAGAIN 11 EACCES 13 EBUSY 16 ENOTDIR 20 EISDIR 21 ENFILE 23
    EMFILE 24 ENOTTY 25 ETXTBSY 26 EFBIG 27 ENOSPC 28 ESPIPE 29 EROFS 30 EPIPE 32 ENAMETOOLONG 36 ENOSYS 38 ELOOP 40
    EOVERFLOW 75 ESTALE 116 EDQUOT 122 ENOTSUPP 524
}

impl Errno {
    /// The name of the error, or nothing for a number outside the table. `ENOTSUPP` (524) is the kernel's own
    /// (`include/linux/errno.h`) and reaches programs by mistake only.
    pub fn name(self) -> Option<Text> {
        let at = NUMBERS.iter().position(|&number| number == self.0)?;
        Some(Text::ERRNOS.nth(at))
    }
}
