/* The host of mapprobe on PA-RISC Linux: entry, system calls, one linear memory. No libc.
 *
 * The program itself is WebAssembly turned into C by wasm2c; it reaches the kernel only through the three imports below, which
 * probe/src/kernel/wasm.rs declares. A call answers a scalar: a value, or -errno in the numbers of asm-generic (errno.h here turns
 * PA-RISC's own numbers into them). The numbers of operations are those of probe/src/kernel.rs: dist writes ops.h. */
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/reboot.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include "mapprobe.h"
#include "errno.h"
#include "flags.h"
#include "memory.h"
#include "ops.h"

/* The stack pointer of WebAssembly, which the generated code reads and writes all the time: first among the variables, so that one
 * instruction reaches it from the global data pointer. */
asm(" .section .bss\n .align 4\nstack_pointer:\n .block 4\n .text\n");
static inline __attribute__((always_inline)) u32 get_stack(void) {
  u32 at;
  asm volatile("ldw RR'stack_pointer-$global$(%%r27),%0" : "=r"(at));
  return at;
}
static inline __attribute__((always_inline)) void set_stack(u32 at) {
  asm volatile("stw %0,RR'stack_pointer-$global$(%%r27)" :: "r"(at));
}

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

struct Z_host_instance_t { int argc; char **argv, **envp; unsigned long *aux; };

/* struct sigaction of arch/parisc; as a struct timespec it is one second. */
static const struct { __sighandler_t handler; unsigned long flags, mask[2]; } ignored = {SIG_IGN};

/* A process that is the machine's init must never end: a child of it switches the machine off (probe/src/init.rs).
 * LINUX_REBOOT_CMD_CAD_ON changes nothing and succeeds only for whoever may do that, so a container's pid 1 just exits. */
static __attribute__((noreturn)) void end(int code) {
  if (raw(__NR_getpid, 0, 0, 0, 0, 0, 0) == 1
      && raw(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON, 0, 0, 0) == 0) {
    for (int fd = 0; fd < 3; fd++) raw(__NR_close, fd, 0, 0, 0, 0, 0);
    if (raw(__NR_fork, 0, 0, 0, 0, 0, 0) <= 0)
      raw(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_POWER_OFF, 0, 0, 0);
    for (;;) raw(__NR_pause, 0, 0, 0, 0, 0, 0), raw(__NR_nanosleep, (long)&ignored, 0, 0, 0, 0, 0);
  }
  for (;;) raw(__NR_exit_group, code, 0, 0, 0, 0, 0);
}

/* What wasm2c's code asks of its runtime: one memory, one table, the types of indirect calls, and an end to every trap. */
enum { PAGE = 65536, TABLE = 512 };
static wasm_rt_funcref_t table[TABLE];

__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t trap) {
  char line[] = "mapprobe: internal failure: wasm trap 0\n";
  line[sizeof line - 3] += trap;
  raw(__NR_write, 2, (long)line, sizeof line - 1, 0, 0, 0);
  end(2);
}
__attribute__((noreturn, used)) void out_of_bounds(void) { wasm_rt_trap(WASM_RT_TRAP_OOB); }
bool wasm_rt_is_initialized(void) { return true; }
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
static __attribute__((noinline)) void *span(u32 at, u32 len) {
  if (at > sizeof memory || len > sizeof memory - at) wasm_rt_trap(WASM_RT_TRAP_OOB);
  return memory + at;
}

typedef struct Z_host_instance_t Host;
u32 Z_hostZ_argc(Host *h) { return h->argc; }
u32 Z_hostZ_argument(Host *h, u32 i, u32 at, u32 len) {
  char *to = span(at, len);
  const char *from = h->argv[i];
  u32 n = 0;
  for (; n < len && from[n]; n++) to[n] = from[n];
  return n;
}

/* The numbers of ops.h are the program's own. */
static const unsigned how[] = {
  [HOW_Read] = O_RDONLY | O_NONBLOCK, [HOW_ReadWrite] = O_RDWR | O_NONBLOCK, [HOW_Nameless] = O_RDWR | O_TMPFILE | O_NONBLOCK,
  [HOW_New] = O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, [HOW_Create] = O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, [HOW_Device] = O_RDWR,
};
/* MADV_KEEPONFORK and MADV_COLLAPSE had numbers of their own here, 72 and 73, up to 6.1; commit 71bdea6f798b gave them the generic
 * ones (arch/parisc/include/uapi/asm/mman.h). */
static const unsigned char advice[] = {[ADVICE_DontNeed] = MADV_DONTNEED, [ADVICE_KeepOnFork] = 19, [ADVICE_Collapse] = 25};
#define LENGTH(array) (sizeof array / sizeof *array)

/* Where a register comes from: the arguments, the input as it is or as text with a zero at its end, the output, a structure; or a
 * constant. */
enum { A, B, C, D, E, INPUT, INPUT_LEN, TEXT, OUTPUT, OUTPUT_LEN, STRUCT, PLACES };
enum { ZERO = PLACES, CWD, PIPE_FLAGS, MEMFD, SIGNAL, ACTION, MASK, MODE, NODE, MAGIC1, MAGIC2, CAD_ON, POWER_OFF, CAREFUL, WINDOW_SIZE };
static const long constants[] = {
  0, AT_FDCWD, O_CLOEXEC | O_NONBLOCK, MFD_CLOEXEC, SIGPIPE, (long)&ignored, sizeof ignored.mask, 0755, S_IFCHR | 0600,
  LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_CAD_ON, LINUX_REBOOT_CMD_POWER_OFF, MS_NOSUID | MS_NOEXEC, TIOCGWINSZ,
};
_Static_assert(LENGTH(constants) == WINDOW_SIZE - ZERO + 1, "a constant that has no name, or a name without one");
/* The system call of each operation. Without a number: answered otherwise. */
static const struct { unsigned short nr; unsigned char from[6]; } rows[] = {
  /* mmap2 takes the offset in units of 4096 bytes. */
  [OP_Mmap] = {__NR_mmap2, {A, B, C, D, E, ZERO}},
  [OP_Munmap] = {__NR_munmap, {A, B}},
  [OP_Mincore] = {__NR_mincore, {A, B, OUTPUT}},
  [OP_Madvise] = {__NR_madvise, {A, B, C}},
  [OP_MsyncInvalidate] = {__NR_msync, {A, B, C}},
  [OP_MemfdCreate] = {__NR_memfd_create, {TEXT, MEMFD}},
  [OP_Pipe] = {__NR_pipe2, {STRUCT, PIPE_FLAGS}},
  [OP_Close] = {__NR_close, {A}},
  [OP_Read] = {__NR_read, {A, OUTPUT, OUTPUT_LEN}},
  /* A 64-bit offset travels as two words, the high one first (arch/parisc/kernel/sys_parisc.c). */
  [OP_Pread] = {__NR_pread64, {A, OUTPUT, OUTPUT_LEN, ZERO, B}},
  [OP_Write] = {__NR_write, {A, INPUT, INPUT_LEN}},
  [OP_Store] = {__NR_read, {A, B, C}},
  [OP_Load] = {__NR_write, {A, B, C}},
  [OP_Open] = {__NR_openat, {CWD, TEXT, A, B}},
  [OP_Unlink] = {__NR_unlinkat, {CWD, TEXT, ZERO}},
  [OP_Memory] = {__NR_sysinfo, {STRUCT}},
  [OP_PageSize] = {0},
  [OP_Euid] = {0},
  [OP_Pid] = {__NR_getpid},
  [OP_Time] = {__NR_time, {ZERO}},
  [OP_Uname] = {__NR_uname, {OUTPUT}},
  [OP_IgnoreSigpipe] = {__NR_rt_sigaction, {SIGNAL, ACTION, ZERO, MASK}},
  [OP_Exit] = {__NR_exit_group, {A}},
  [OP_Mkdir] = {__NR_mkdirat, {CWD, TEXT, MODE}},
  [OP_Mknod] = {__NR_mknodat, {CWD, TEXT, NODE, A}},
  [OP_Mount] = {__NR_mount, {TEXT, A, TEXT, CAREFUL, ZERO}},
  [OP_Umount] = {__NR_umount2, {TEXT, ZERO}},
  [OP_FileDevice] = {__NR_stat64, {TEXT, STRUCT}},
  [OP_FileInode] = {__NR_stat64, {TEXT, STRUCT}},
  [OP_Execve] = {__NR_execve, {TEXT, A, B}},
  [OP_MayReboot] = {__NR_reboot, {MAGIC1, MAGIC2, CAD_ON}},
  [OP_Fork] = {__NR_fork},
  [OP_Reboot] = {__NR_reboot, {MAGIC1, MAGIC2, POWER_OFF}},
  [OP_Terminal] = {__NR_ioctl, {A, WINDOW_SIZE, STRUCT}},
  [OP_NoColor] = {0},
  [OP_Pause] = {__NR_pause},
  [OP_Sleep] = {__NR_nanosleep, {ACTION, ZERO}},
};
_Static_assert(LENGTH(rows) == OPS && OPS == 37, "an operation that has no row, or none any more");
_Static_assert(LENGTH(how) == HOWS && LENGTH(advice) == ADVICES, "a choice that has no number here");

static u32 failed(int errno) { return -errno; }
static u32 auxiliary(Host *h, unsigned long kind) {
  for (unsigned long *a = h->aux; a[0] != AT_NULL; a += 2) if (a[0] == kind) return a[1];
  return failed(ENOENT);
}
/* How long the value of NO_COLOR is. */
static u32 no_color(Host *h) {
  static const char name[] = "NO_COLOR=";
  for (char **entry = h->envp; *entry; entry++) {
    u32 n = 0, count = 0;
    while (n < sizeof name - 1 && (*entry)[n] == name[n]) n++;
    if (n < sizeof name - 1) continue;
    while ((*entry)[n + count]) count++;
    return count;
  }
  return failed(ENOENT);
}
static const char *argv[65];
u32 Z_hostZ_call(Host *h, u32 op, u32 a, u32 b, u32 c, u32 d, u32 e, u32 in, u32 in_len, u32 out, u32 out_len) {
  const char *input = span(in, in_len);
  union {
    int ends[2];
    struct stat64 stat;
    struct sysinfo info;
  } filled;
  if (op >= OPS) return failed(ENOSYS);
  switch (op) {
    case OP_PageSize: return auxiliary(h, AT_PAGESZ);
    case OP_Euid: return auxiliary(h, AT_EUID);
    case OP_NoColor: return no_color(h);
    case OP_Mincore: if ((u64)out_len * (u32)auxiliary(h, AT_PAGESZ) < b) return failed(EFAULT); break;
    case OP_Uname: if (out_len < sizeof(struct new_utsname)) return failed(EFAULT); break;
    case OP_Madvise: if (c >= ADVICES) return failed(EINVAL); c = advice[c]; break;
    case OP_MsyncInvalidate: c = MS_INVALIDATE; break;
    case OP_Open:
      if (a >= HOWS) return failed(EINVAL);
      b = a == HOW_Create ? 0644 : 0600, a = how[a] | O_CLOEXEC | O_NOCTTY;
      break;
    case OP_Mount: if (a >= in_len) return failed(EINVAL); a += (u32)input; break;
    case OP_Execve: {
      u32 count = 0;
      for (u32 i = 1; i < in_len; i++) {
        if (input[i - 1]) continue;
        if (count == LENGTH(argv) - 1) return failed(E2BIG);
        argv[count++] = input + i;
      }
      argv[count] = 0, a = (u32)argv, b = (u32)h->envp;
    }
  }
  /* Text without an end becomes a null pointer, which the kernel answers with EFAULT. */
  const long text = in_len && !input[in_len - 1] ? (long)input : 0;
  const long places[PLACES] = {a, b, c, d, e, (long)input, in_len, text, (long)span(out, out_len), out_len, (long)&filled};
  long r[6];
  for (u32 i = 0; i < 6; i++) {
    u32 from = rows[op].from[i];
    r[i] = from < PLACES ? places[from] : constants[from - PLACES];
  }
  u32 returned = raw(rows[op].nr, r[0], r[1], r[2], r[3], r[4], r[5]);
  if (returned > -4096u) return generic(returned);
  switch (op) {
    case OP_Pipe: return filled.ends[1] << 16 | filled.ends[0];
    case OP_Memory: {
      u64 bytes = ((u64)filled.info.totalram + filled.info.totalswap) * filled.info.mem_unit;
      return bytes < 0xf0000000u ? bytes : 0xf0000000u;
    }
    case OP_FileDevice: return filled.stat.st_dev & 0x7fffffff;
    case OP_FileInode: return filled.stat.st_ino & 0x7fffffff;
  }
  return returned;
}

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
