/* The host of mapprobe on PA-RISC Linux: entry, system calls, one linear memory. No libc.
 *
 * The program itself is WebAssembly turned into C by wasm2c; it reaches the kernel only through the imports below, which
 * mirror probe/src/kernel/wasm.rs line by line. Every import answers a scalar: a value, or -errno in the numbers of
 * asm-generic (errno.h here turns PA-RISC's own numbers into them). */
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/utsname.h>
#include "mapprobe.h"
#include "errno.h"
#include "flags.h"
#include "memory.h"

_Static_assert(__NR_mmap2 == 89 && __NR_munmap == 91 && __NR_write == 4 && __NR_exit == 1, "PA-RISC system call numbers");

/* Number in r20, arguments in r26..r21, result in r28; the call goes through the gateway page. */
static long raw(long nr, long a, long b, long c, long d, long e, long f) {
  register long r20 asm("r20") = nr, r26 asm("r26") = a, r25 asm("r25") = b, r24 asm("r24") = c, r23 asm("r23") = d,
                r22 asm("r22") = e, r21 asm("r21") = f, r28 asm("r28");
  asm volatile("ble 0x100(%%sr2,%%r0)\n\tnop"
               : "=r"(r28), "+r"(r20), "+r"(r26), "+r"(r25), "+r"(r24), "+r"(r23), "+r"(r22), "+r"(r21)
               :: "r1", "r2", "r29", "r31", "memory");
  return r28;
}
static u32 sys(long nr, long a, long b, long c, long d, long e, long f) { return generic(raw(nr, a, b, c, d, e, f)); }

struct Z_host_instance_t { int argc; char **argv, **envp; unsigned long *aux; };

/* A process that is the machine's init must never end: it switches the machine off. LINUX_REBOOT_CMD_CAD_ON changes
 * nothing and succeeds only for whoever may do that, so a container's pid 1 just exits. */
static __attribute__((noreturn)) void end(int code) {
  if (raw(__NR_getpid, 0, 0, 0, 0, 0, 0) == 1
      && raw(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON, 0, 0, 0) == 0) {
    raw(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0, 0);
    raw(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_HALT, 0, 0, 0);
    for (;;) raw(__NR_pause, 0, 0, 0, 0, 0, 0);
  }
  for (;;) raw(__NR_exit_group, code, 0, 0, 0, 0, 0);
}

/* What wasm2c's code asks of its runtime: one memory, one table, the types of indirect calls, and an end to every trap. */
enum { PAGE = 65536, TABLE = 512 };
static wasm_rt_funcref_t table[TABLE];
static u32 type_count;

__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t trap) {
  char line[] = "mapprobe: internal failure: wasm trap 0\n";
  line[sizeof line - 3] += trap;
  raw(__NR_write, 2, (long)line, sizeof line - 1, 0, 0, 0);
  end(2);
}
__attribute__((noreturn, used)) void out_of_bounds(void) { wasm_rt_trap(WASM_RT_TRAP_OOB); }
bool wasm_rt_is_initialized(void) { return true; }
/* There is one module, and its type section names each type once: a number of its own is all a type needs. */
#define wasm_rt_register_func_type(...) (++type_count)
void wasm_rt_allocate_memory(wasm_rt_memory_t *m, uint32_t initial, uint32_t max) {
  if (initial > CAPACITY / PAGE) wasm_rt_trap(WASM_RT_TRAP_OOB);
  m->data = memory, m->pages = initial, m->size = (uint64_t)initial * PAGE, m->max_pages = CAPACITY / PAGE;
}
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *m, uint32_t pages) {
  u32 old = m->pages;
  if (pages > CAPACITY / PAGE - old) return -1;
  m->pages += pages, m->size = (uint64_t)m->pages * PAGE;
  return old;
}
void wasm_rt_free_memory(wasm_rt_memory_t *m) {}
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *t, uint32_t elements, uint32_t max) {
  if (elements > TABLE) wasm_rt_trap(WASM_RT_TRAP_OOB);
  t->data = table, t->size = elements, t->max_size = max;
}
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *t) {}

/* The function at a place of the table, if it is of a type; types are numbered from 1 in the order of the module. */
static __attribute__((noinline)) wasm_rt_function_ptr_t callee(u32 at, u32 type) {
  if (at >= TABLE || !table[at].func || table[at].func_type != type) wasm_rt_trap(WASM_RT_TRAP_CALL_INDIRECT);
  return table[at].func;
}
#define INDIRECT(signature, type, at, ...) (((signature)callee(at, type + 1))(__VA_ARGS__))

/* A wasm address is an offset into `memory`; a length is checked before it is used. */
static void *span(u32 at, u32 len) {
  if ((uint64_t)at + len > sizeof memory) wasm_rt_trap(WASM_RT_TRAP_OOB);
  return memory + at;
}
static u32 copy(u32 to, u32 len, const char *from) {
  char *t = span(to, len);
  u32 n = 0;
  for (; n < len && from[n]; n++) t[n] = from[n];
  return n;
}
/* Strings come with a length and go to the kernel with a zero; none of ours is longer than a path. */
enum { PATH = 4096, ARGS = 64 };
static char *string(char *to, u32 at, u32 len) {
  const char *from = span(at, len);
  u32 n = len < PATH - 1 ? len : PATH - 1;
  for (u32 i = 0; i < n; i++) to[i] = from[i];
  to[n] = 0;
  return to;
}
static char first[PATH], second[PATH];

typedef struct Z_host_instance_t Host;
u32 Z_hostZ_argc(Host *h) { return h->argc; }
u32 Z_hostZ_argument(Host *h, u32 i, u32 at, u32 len) { return copy(at, len, h->argv[i]); }
/* mmap2 takes the offset in units of 4096 bytes; it is always 0 here. */
u32 Z_hostZ_mmap(Host *h, u32 addr, u32 len, u32 prot, u32 flags, u32 fd) { return sys(__NR_mmap2, addr, len, prot, flags, fd, 0); }
u32 Z_hostZ_munmap(Host *h, u32 addr, u32 len) { return sys(__NR_munmap, addr, len, 0, 0, 0, 0); }
u32 Z_hostZ_page_size(Host *h) {
  for (unsigned long *a = h->aux; a[0] != AT_NULL; a += 2) if (a[0] == AT_PAGESZ) return a[1];
  return 4096;
}
u32 Z_hostZ_mincore(Host *h, u32 addr, u32 len, u32 at, u32 count) {
  if ((uint64_t)count * Z_hostZ_page_size(h) < len) return -EFAULT;
  return sys(__NR_mincore, addr, len, (long)span(at, count), 0, 0, 0);
}
u32 Z_hostZ_madvise_dontneed(Host *h, u32 addr, u32 len) { return sys(__NR_madvise, addr, len, MADV_DONTNEED, 0, 0, 0); }
u32 Z_hostZ_msync_invalidate(Host *h, u32 addr, u32 len) { return sys(__NR_msync, addr, len, MS_INVALIDATE, 0, 0, 0); }
u32 Z_hostZ_memfd_create(Host *h, u32 at, u32 len) { return sys(__NR_memfd_create, (long)string(first, at, len), MFD_CLOEXEC, 0, 0, 0, 0); }
u64 Z_hostZ_pipe(Host *h) {
  int ends[2];
  int failed = sys(__NR_pipe2, (long)ends, O_CLOEXEC, 0, 0, 0, 0);
  return failed ? (u64)(s64)failed : (u64)(u32)ends[1] << 32 | (u32)ends[0];
}
u32 Z_hostZ_close(Host *h, u32 fd) { return sys(__NR_close, fd, 0, 0, 0, 0, 0); }
u32 Z_hostZ_read(Host *h, u32 fd, u32 at, u32 len) { return sys(__NR_read, fd, (long)span(at, len), len, 0, 0, 0); }
/* A 64-bit offset travels as two words, the high one first (arch/parisc/kernel/sys_parisc.c). */
u32 Z_hostZ_pread(Host *h, u32 fd, u32 at, u32 len, u32 offset) { return sys(__NR_pread64, fd, (long)span(at, len), len, 0, offset, 0); }
u32 Z_hostZ_write(Host *h, u32 fd, u32 at, u32 len) { return sys(__NR_write, fd, (long)span(at, len), len, 0, 0, 0); }
u32 Z_hostZ_store(Host *h, u32 fd, u32 addr, u32 len) { return sys(__NR_read, fd, addr, len, 0, 0, 0); }
u32 Z_hostZ_load(Host *h, u32 fd, u32 addr, u32 len) { return sys(__NR_write, fd, addr, len, 0, 0, 0); }
u32 Z_hostZ_euid(Host *h) {
  for (unsigned long *a = h->aux; a[0] != AT_NULL; a += 2) if (a[0] == AT_EUID) return a[1];
  return -1;
}
u32 Z_hostZ_getpid(Host *h) { return sys(__NR_getpid, 0, 0, 0, 0, 0, 0); }
u64 Z_hostZ_time(Host *h) { return (unsigned long)raw(__NR_time, 0, 0, 0, 0, 0, 0); }
u32 Z_hostZ_uname(Host *h, u32 field, u32 at, u32 len) {
  static char name[6][__NEW_UTS_LEN + 1]; /* struct new_utsname: six fields of one size */
  _Static_assert(sizeof name == sizeof(struct new_utsname), "six fields of 65 bytes");
  u32 failed = sys(__NR_uname, (long)name, 0, 0, 0, 0, 0);
  return failed ? failed : field < 6 ? copy(at, len, name[field]) : -EINVAL;
}
u32 Z_hostZ_ignore_sigpipe(Host *h) {
  /* struct sigaction of arch/parisc: handler, flags, a mask of 64 bits. */
  struct { __sighandler_t handler; unsigned long flags, mask[2]; } action = {SIG_IGN};
  return sys(__NR_rt_sigaction, SIGPIPE, (long)&action, 0, sizeof action.mask, 0, 0);
}
void Z_hostZ_exit(Host *h, u32 code) { for (;;) raw(__NR_exit_group, code, 0, 0, 0, 0, 0); }
u32 Z_hostZ_open_console(Host *h, u32 at, u32 len) {
  return sys(__NR_openat, AT_FDCWD, (long)string(first, at, len), O_RDWR | O_NOCTTY | O_NONBLOCK, 0, 0, 0);
}
u32 Z_hostZ_mkdir(Host *h, u32 at, u32 len) { return sys(__NR_mkdir, (long)string(first, at, len), 0755, 0, 0, 0, 0); }
u32 Z_hostZ_mount(Host *h, u32 kind, u32 kind_len, u32 target, u32 target_len) {
  char *from = string(first, kind, kind_len), *to = string(second, target, target_len);
  return sys(__NR_mount, (long)from, (long)to, (long)from, MS_NOSUID | MS_NOEXEC, 0, 0);
}
u32 Z_hostZ_umount(Host *h, u32 at, u32 len) { return sys(__NR_umount2, (long)string(first, at, len), 0, 0, 0, 0, 0); }
static u64 stat(u32 at, u32 len, int which) {
  static struct stat64 found;
  int failed = sys(__NR_stat64, (long)string(first, at, len), (long)&found, 0, 0, 0, 0);
  return failed ? (u64)(s64)failed : which ? found.st_ino : found.st_dev;
}
u64 Z_hostZ_file_dev(Host *h, u32 at, u32 len) { return stat(at, len, 0); }
u64 Z_hostZ_file_ino(Host *h, u32 at, u32 len) { return stat(at, len, 1); }
u32 Z_hostZ_execve(Host *h, u32 at, u32 len, u32 args, u32 args_len) {
  char *argv[ARGS + 1], *from = span(args, args_len);
  u32 count = 0;
  for (u32 i = 0; i < args_len; i++) {
    if (i != 0 && from[i - 1] != 0) continue;
    if (count == ARGS) return -E2BIG;
    argv[count++] = from + i;
  }
  argv[count] = 0;
  return sys(__NR_execve, (long)string(first, at, len), (long)argv, (long)h->envp, 0, 0, 0);
}
static u32 reboot(long how) { return sys(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, how, 0, 0, 0); }
u32 Z_hostZ_may_reboot(Host *h) { return reboot(LINUX_REBOOT_CMD_CAD_ON); }
u32 Z_hostZ_reboot(Host *h, u32 halt) { return reboot(halt ? LINUX_REBOOT_CMD_HALT : LINUX_REBOOT_CMD_POWER_OFF); }
void Z_hostZ_pause(Host *h) { raw(__NR_pause, 0, 0, 0, 0, 0, 0); }

/* The compiler may call these by name. */
void *memcpy(void *to, const void *from, size_t n) { char *t = to; const char *f = from; while (n--) { *t++ = *f++; asm(""); } return to; }
void *memset(void *to, int c, size_t n) { char *t = to; while (n--) { *t++ = c; asm(""); } return to; }
void *memmove(void *to, const void *from, size_t n) {
  char *t = to; const char *f = from;
  if (t < f) return memcpy(to, from, n);
  while (n--) { t[n] = f[n]; asm(""); }
  return to;
}

/* At entry r25 = argc, r24 = argv; the stack grows upwards; r27 must hold the global data pointer. */
asm(".globl _start\n.type _start,@function\n_start:\n"
    " ldil L%$global$,%r27\n ldo R%$global$(%r27),%r27\n ldo 64(%r30),%r30\n"
    " copy %r25,%r26\n bl start,%r2\n copy %r24,%r25\n");
__attribute__((used)) void start(int argc, char **argv) {
  static Z_mapprobe_instance_t instance;
  char **envp = argv + argc + 1, **end_of_env = envp;
  while (*end_of_env) end_of_env++;
  struct Z_host_instance_t host = {argc, argv, envp, (unsigned long *)(end_of_env + 1)};
  Z_mapprobe_init_module();
  Z_mapprobe_instantiate(&instance, &host);
  end(Z_mapprobeZ_run(&instance));
}
