/* PA-RISC numbers its errors its own way (asm/errno.h); the program knows them by the numbers of asm-generic. */
#ifndef MAPPROBE_ERRNO_H
#define MAPPROBE_ERRNO_H
#include <asm/errno.h>

/* Name here, number in include/uapi/asm-generic/errno.h. 1 to 34 are the same everywhere (errno-base.h). */
static const struct { unsigned short here, generic; } renumbered[] = {
  {EDEADLK, 35}, {ENAMETOOLONG, 36}, {ENOLCK, 37}, {ENOSYS, 38}, {ENOTEMPTY, 39}, {ELOOP, 40}, {ENOMSG, 42}, {EOVERFLOW, 75},
  {EILSEQ, 84}, {EUSERS, 87}, {EOPNOTSUPP, 95}, {ENOBUFS, 105}, {ETIMEDOUT, 110}, {EALREADY, 114}, {EINPROGRESS, 115},
  {ESTALE, 116}, {EDQUOT, 122}, {ENOMEDIUM, 123}, {ECANCELED, 125}, {ENOKEY, 126}, {EOWNERDEAD, 130}, {EHWPOISON, 133},
};
/* An error of PA-RISC's own range (35-257) that is not in the list: out of the way of every generic number. */
enum { SAME = 34, LAST = 257, FOREIGN = 1000 };

static unsigned generic(long returned) {
  if (returned >= 0 || returned < -4095 || -returned <= SAME) return returned;
  for (unsigned i = 0; i < sizeof renumbered / sizeof *renumbered; i++)
    if (renumbered[i].here == -returned) return -renumbered[i].generic;
  return -returned <= LAST ? returned - FOREIGN : returned;
}
#endif
