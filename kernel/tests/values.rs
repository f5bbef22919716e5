//! Results, error numbers, and the numbers of enums.

use kernel::{Advice, Errno, MAX_ERRNO, Op, OpenMode, SysResult, str_or_replacement};

#[test]
fn results_up_to_the_last_address_are_values() {
    // The last value is one below -MAX_ERRNO.
    let last_value = usize::MAX - MAX_ERRNO as usize;
    for value in [0, 1, usize::MAX / 2, last_value] {
        assert_eq!(SysResult::from_register(value).result(), Ok(value));
        assert_eq!(SysResult::success(value).result(), Ok(value));
        assert!(SysResult::success(value).is_ok());
    }
}

#[test]
fn results_above_are_negated_errors() {
    for number in [1, 22, MAX_ERRNO - 1, MAX_ERRNO] {
        let register = usize::MAX - number as usize + 1;
        assert_eq!(SysResult::from_register(register).result(), Err(Errno(number)));
        assert_eq!(SysResult::failure(Errno(number)), SysResult::from_register(register));
        assert!(!SysResult::failure(Errno(number)).is_ok());
    }
}

#[test]
fn results_convert_from_rust_results() {
    assert_eq!(SysResult::from(Ok(5)), SysResult::success(5));
    assert_eq!(SysResult::from(Err(Errno::ENOENT)), SysResult::failure(Errno::ENOENT));
}

macro_rules! errnos {
    ($($name:ident)*) => { [$((Errno::$name, libc::$name, stringify!($name))),*] };
}

#[test]
fn errors_have_the_numbers_of_libc() {
    let errnos = errnos! {
        EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
        EBUSY EEXIST ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE
        EROFS EPIPE ENAMETOOLONG ENOSYS ELOOP EOVERFLOW EOPNOTSUPP ESTALE EDQUOT
    };
    for (errno, number, name) in errnos {
        assert_eq!(i32::from(errno.0), number, "{name}");
        assert_eq!(errno.name(), Some(name));
        assert_eq!(errno.to_string(), name);
    }
    // libc lacks ENOTSUPP, which is internal to the kernel.
    assert_eq!(Errno(524).name(), Some("ENOTSUPP"));
    let named = (0..=MAX_ERRNO).filter(|&number| Errno(number).name().is_some());
    assert_eq!(named.count(), errnos.len() + 1, "every name is compared");
}

#[test]
fn an_error_without_a_name_is_printed_as_a_number() {
    assert_eq!(Errno(8000).name(), None);
    assert_eq!(Errno(8000).to_string(), "errno 8000");
}

#[test]
fn open_modes_and_advice_have_the_number_of_their_position() {
    for (number, mode) in OpenMode::ALL.into_iter().enumerate() {
        assert_eq!(OpenMode::from_arg(number), Ok(mode));
    }
    for (number, advice) in Advice::ALL.into_iter().enumerate() {
        assert_eq!(Advice::from_arg(number), Ok(advice));
    }
}

#[test]
fn unknown_open_modes_and_advice_are_invalid() {
    // 256 would be 0 in a byte.
    for number in [OpenMode::ALL.len(), 256, usize::MAX] {
        assert_eq!(OpenMode::from_arg(number), Err(Errno::EINVAL));
    }
    for number in [Advice::ALL.len(), 256, usize::MAX] {
        assert_eq!(Advice::from_arg(number), Err(Errno::EINVAL));
    }
}

#[test]
fn operations_have_different_names_without_spaces() {
    for (index, op) in Op::ALL.iter().enumerate() {
        assert_eq!(*op as usize, index);
        assert!(!op.name().is_empty() && !op.name().contains(' '), "{op:?}");
        assert!(Op::ALL[..index].iter().all(|other| other.name() != op.name()), "{op:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced() {
    assert_eq!(str_or_replacement("añ€😀".as_bytes()), "añ€😀");
    assert_eq!(str_or_replacement(b""), "");
    for invalid in [&b"\xff"[..], b"a\x80", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"] {
        assert_eq!(str_or_replacement(invalid), "\u{fffd}", "{invalid:x?}");
    }
}
