/* Translates PA-RISC's error numbers (arch/parisc/include/uapi/asm/errno.h) to those of
 * include/uapi/asm-generic/errno.h, which the program uses. */
#ifndef MAPPROBE_ERRNO_H
#define MAPPROBE_ERRNO_H
#include <asm/errno.h>

/* 1 to 34 are the same on every architecture (asm-generic/errno-base.h). PA-RISC numbers the others
 * from 35 to 257. An error that is not listed here becomes a number that no generic error has. */
enum { LAST_COMMON_ERRNO = 34, LAST_PARISC_ERRNO = 257, UNLISTED_ERRNO = 1000 };

static long generic_errno(long errno) {
  if (errno <= LAST_COMMON_ERRNO) return errno;
  switch (errno) {
    case EDEADLK: return 35;
    case ENAMETOOLONG: return 36;
    case ENOLCK: return 37;
    case ENOSYS: return 38;
    case ENOTEMPTY: return 39;
    case ELOOP: return 40;
    case ENOMSG: return 42;
    case EOVERFLOW: return 75;
    case EILSEQ: return 84;
    case EUSERS: return 87;
    case EOPNOTSUPP: return 95;
    case ENOBUFS: return 105;
    case ETIMEDOUT: return 110;
    case EALREADY: return 114;
    case EINPROGRESS: return 115;
    case ESTALE: return 116;
    case EDQUOT: return 122;
    case ENOMEDIUM: return 123;
    case ECANCELED: return 125;
    case ENOKEY: return 126;
    case EOWNERDEAD: return 130;
    case EHWPOISON: return 133;
    default: return errno <= LAST_PARISC_ERRNO ? errno + UNLISTED_ERRNO : errno;
  }
}
#endif
