/* The host of mapprobe on PA-RISC Linux: entry point, system calls and wasm2c's runtime. No libc.
 *
 * The program is WebAssembly that wasm2c turned into C. It reaches the kernel only through the
 * three imports that kernel/src/wasm.rs declares (Z_hostZ_*). A call returns a value, or -errno
 * with the number of asm-generic.
 *
 * dist generates mapprobe.c (the program, as one unit with this file so that gcc sees every call),
 * ops.h (the program's own numbers of operations) and flags.h (assertions about the numbers of
 * MAP_* flags). */
#include <asm/ioctls.h>
#include <asm/mman.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <asm/unistd.h>
#include <linux/auxvec.h>
#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <linux/stat.h>
#include <linux/sysinfo.h>
#include <linux/time.h>
#include <linux/utsname.h>
#include <linux/wait.h>
#include "mapprobe.c"
#include "errno.h"
#include "flags.h"
#include "memory.h"
#include "ops.h"

/* A missing `case` for a value of an enum is an error: ops.h grows with the program. */
#pragma GCC diagnostic error "-Wswitch"

_Static_assert(__NR_mmap2 == 89 && __NR_munmap == 91 && __NR_write == 4 && __NR_exit == 1,
               "asm/unistd.h is not that of PA-RISC");

/* System calls. */

/* The number is in r20, arguments are in r26 to r21, the result is in r28; the call goes through
 * the gateway page (arch/parisc/kernel/syscall.S). */
static long syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long r20 asm("r20") = number, r26 asm("r26") = a, r25 asm("r25") = b, r24 asm("r24") = c,
                r23 asm("r23") = d, r22 asm("r22") = e, r21 asm("r21") = f, r28 asm("r28");
  asm volatile("ble 0x100(%%sr2,%%r0)\n\tnop"
               : "=r"(r28), "+r"(r20), "+r"(r26), "+r"(r25), "+r"(r24), "+r"(r23), "+r"(r22), "+r"(r21)
               :: "r1", "r2", "r29", "r31", "memory");
  return r28;
}
/* Arguments that are omitted are 0. */
#define SYSCALL(number, ...) SYSCALL7(number, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define SYSCALL7(number, a, b, c, d, e, f, ...) \
  syscall6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static bool is_error(long result) { return result < 0 && result >= -4095; }
static u32 failed(int errno) { return -errno; }

static long reboot(unsigned command) {
  return SYSCALL(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command);
}

/* Ctrl-Alt-Del is enabled at boot, so this changes nothing. It fails without CAP_SYS_BOOT and in a
 * PID namespace (kernel/reboot.c). */
static long enable_ctrl_alt_del(void) { return reboot(LINUX_REBOOT_CMD_CAD_ON); }
static long sleep_a_second(void) {
  const struct { long seconds, nanoseconds; } duration = {1, 0};
  return SYSCALL(__NR_nanosleep, &duration, 0);
}

/* Ends the process. The kernel panics when the machine's init ends, so init powers the machine off
 * instead, from a child (probe/src/init.rs). PID 1 of a container just exits. */
static __attribute__((noreturn)) void end(int code) {
  if (SYSCALL(__NR_getpid, 0) == 1 && enable_ctrl_alt_del() == 0) {
    for (int fd = 0; fd < 3; fd++) SYSCALL(__NR_close, fd);
    if (SYSCALL(__NR_fork, 0) <= 0) reboot(LINUX_REBOOT_CMD_POWER_OFF);
    for (;;) {
      SYSCALL(__NR_pause, 0);
      sleep_a_second();
    }
  }
  for (;;) SYSCALL(__NR_exit_group, code);
}

/* wasm2c's runtime: one memory, one function table. */

enum { WASM_PAGE = 65536, TABLE_SIZE = 512 };
static wasm_rt_funcref_t table[TABLE_SIZE];

void wasm_rt_trap(wasm_rt_trap_t trap) {
  char line[] = "mapprobe: internal failure: wasm trap 0\n";
  line[sizeof line - 3] += trap;
  SYSCALL(__NR_write, 2, line, sizeof line - 1);
  end(2);
}
bool wasm_rt_is_initialized(void) { return true; }
/* wasm-ld lists each function type once, so its position identifies it. */
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  static uint32_t types;
  return ++types;
}
void wasm_rt_allocate_memory(wasm_rt_memory_t *m, uint32_t initial_pages, uint32_t max_pages) {
  if (initial_pages > MEMORY_SIZE / WASM_PAGE) wasm_rt_trap(WASM_RT_TRAP_OOB);
  m->data = memory;
  m->pages = m->max_pages = initial_pages;
  m->size = (uint64_t)initial_pages * WASM_PAGE;
}
void wasm_rt_free_memory(wasm_rt_memory_t *m) {}
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *t, uint32_t elements, uint32_t max) {
  if (elements > TABLE_SIZE) wasm_rt_trap(WASM_RT_TRAP_OOB);
  t->data = table;
  t->size = t->max_size = elements;
}
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *t) {}

/* The bytes of linear memory from `addr` on, if there are `len`. */
static void *span(u32 addr, u32 len) {
  if (addr > MEMORY_SIZE || len > MEMORY_SIZE - addr) wasm_rt_trap(WASM_RT_TRAP_OOB);
  return memory + addr;
}

/* The imports of the program. */

typedef struct Z_host_instance_t {
  int argc;
  char **argv, **envp;
  unsigned long *auxv;
} Host;

u32 Z_hostZ_argc(Host *host) { return host->argc; }

u32 Z_hostZ_argument(Host *host, u32 index, u32 addr, u32 len) {
  char *to = span(addr, len);
  const char *from = host->argv[index];
  u32 copied = 0;
  for (; copied < len && from[copied]; copied++) to[copied] = from[copied];
  return copied;
}

/* getauxval(3) */
static u32 auxiliary(Host *host, unsigned long type) {
  for (unsigned long *entry = host->auxv; entry[0] != AT_NULL; entry += 2)
    if (entry[0] == type) return entry[1];
  return failed(ENOENT);
}

/* The length of the environment variable NO_COLOR. */
static u32 no_color(Host *host) {
  static const char name[] = "NO_COLOR=";
  for (char **entry = host->envp; *entry; entry++) {
    u32 matched = 0, len = 0;
    while (name[matched] && (*entry)[matched] == name[matched]) matched++;
    if (name[matched]) continue;
    while ((*entry)[matched + len]) len++;
    return len;
  }
  return failed(ENOENT);
}

static int open_flags(enum open_mode mode) {
  switch (mode) {
    case OPEN_Read: return O_RDONLY | O_NONBLOCK;
    case OPEN_ReadWrite: return O_RDWR | O_NONBLOCK;
    case OPEN_TmpFile: return O_RDWR | O_TMPFILE | O_NONBLOCK;
    case OPEN_CreateNew: return O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK;
    case OPEN_Create: return O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK;
    case OPEN_Device: return O_RDWR;
  }
  return -1;
}

/* Up to 6.1, MADV_KEEPONFORK and MADV_COLLAPSE had the PA-RISC numbers 72 and 73; commit
 * 71bdea6f798b gave them the generic ones (arch/parisc/include/uapi/asm/mman.h). */
static int advice_number(enum advice advice) {
  switch (advice) {
    case ADVICE_DontNeed: return MADV_DONTNEED;
    case ADVICE_KeepOnFork: return 19;
    case ADVICE_Collapse: return 25;
  }
  return -1;
}

static long ignore_signals(void) {
  /* struct sigaction of arch/parisc/include/uapi/asm/signal.h */
  const struct { __sighandler_t handler; unsigned long flags, mask[2]; } action = {SIG_IGN};
  long result = SYSCALL(__NR_rt_sigaction, SIGPIPE, &action, 0, sizeof action.mask);
  return is_error(result) ? result : SYSCALL(__NR_rt_sigaction, SIGXFSZ, &action, 0, sizeof action.mask);
}

/* The exit code of a process, or SIGNALED plus the number of the signal that ended it. A process
 * that was stopped is not waited for. */
static long wait_for(long pid) {
  int status;
  long result = SYSCALL(__NR_wait4, pid, &status, __WALL, 0);
  if (is_error(result)) return result;
  int signal = status & 0x7f;
  return signal == 0 ? status >> 8 & 0xff : SIGNALED | signal;
}

/* Stores a byte in a copy of the process. */
static long touch(long addr) {
  long pid = SYSCALL(__NR_fork, 0);
  if (pid == 0) {
    SYSCALL(__NR_prctl, PR_SET_DUMPABLE, 0); /* No core file if the store ends this copy. */
    *(volatile char *)addr = 0;
    for (;;) SYSCALL(__NR_exit_group, 0);
  }
  return is_error(pid) ? pid : wait_for(pid);
}

/* The type and the block size of the file system of a file. */
enum statfs_field { STATFS_TYPE, STATFS_BLOCK };
static long file_system_number(long fd, enum statfs_field field) {
  struct statfs64 status;
  long result = SYSCALL(__NR_fstatfs64, fd, sizeof status, &status);
  if (is_error(result)) return result;
  return field == STATFS_TYPE ? status.f_type : status.f_bsize;
}

/* Both descriptors in one value: the reading end, and the writing end 16 bits above it. */
static long make_pipe(void) {
  int ends[2];
  long result = SYSCALL(__NR_pipe2, ends, O_CLOEXEC | O_NONBLOCK);
  return is_error(result) ? result : ends[1] << 16 | ends[0];
}

/* Bytes of memory and swap, at most 15/16 of the address space. */
static long total_memory(void) {
  struct sysinfo info;
  long result = SYSCALL(__NR_sysinfo, &info);
  if (is_error(result)) return result;
  u64 bytes = ((u64)info.totalram + info.totalswap) * info.mem_unit;
  return bytes < 0xf0000000u ? bytes : 0xf0000000u;
}

/* A device or inode number, truncated to 31 bits so that it never looks like an error. */
enum stat_field { STAT_DEVICE, STAT_INODE };
static long file_number(const char *path, enum stat_field field) {
  struct stat64 stat;
  long result = SYSCALL(__NR_stat64, path, &stat);
  if (is_error(result)) return result;
  return (field == STAT_DEVICE ? stat.st_dev : stat.st_ino) & 0x7fffffff;
}

/* `strings` has the path and then every argument, each NUL-terminated. */
static long execute(Host *host, const char *strings, u32 len) {
  static const char *argv[65];
  u32 count = 0;
  for (u32 i = 1; i < len; i++) {
    if (strings[i - 1]) continue;
    if (count == sizeof argv / sizeof *argv - 1) return failed(E2BIG);
    argv[count++] = strings + i;
  }
  argv[count] = NULL;
  return SYSCALL(__NR_execve, strings, argv, host->envp);
}

/* Makes the system call of an operation. */
static long operation(Host *host, enum op op, u32 a, u32 b, u32 c, u32 d, u32 e, const char *input, u32 input_len,
                      char *output, u32 output_len) {
  /* The kernel rejects a null pointer with EFAULT. */
  const char *text = input_len > 0 && input[input_len - 1] == 0 ? input : NULL;
  switch (op) {
    case OP_Mmap: return SYSCALL(__NR_mmap2, a, b, c, d, e, 0);
    case OP_Munmap: return SYSCALL(__NR_munmap, a, b);
    case OP_Mincore:
      if ((u64)output_len * auxiliary(host, AT_PAGESZ) < b) return failed(EFAULT);
      return SYSCALL(__NR_mincore, a, b, output);
    case OP_Madvise: {
      int number = advice_number(c);
      return number < 0 ? failed(EINVAL) : SYSCALL(__NR_madvise, a, b, number);
    }
    case OP_MsyncInvalidate: return SYSCALL(__NR_msync, a, b, MS_INVALIDATE);
    case OP_MemfdCreate: return SYSCALL(__NR_memfd_create, text, MFD_CLOEXEC);
    case OP_Pipe: return make_pipe();
    case OP_Close: return SYSCALL(__NR_close, a);
    case OP_Read: return SYSCALL(__NR_read, a, output, output_len);
    /* A 64-bit offset is two arguments, the high one first (arch/parisc/kernel/sys_parisc.c). */
    case OP_Pread: return SYSCALL(__NR_pread64, a, output, output_len, 0, b);
    case OP_Write: return SYSCALL(__NR_write, a, input, input_len);
    case OP_Store: return SYSCALL(__NR_read, a, b, c);
    case OP_Load: return SYSCALL(__NR_write, a, b, c);
    case OP_Open: {
      int flags = open_flags(a);
      if (flags < 0) return failed(EINVAL);
      return SYSCALL(__NR_openat, AT_FDCWD, text, flags | O_CLOEXEC | O_NOCTTY, a == OPEN_Create ? 0644 : 0600);
    }
    case OP_Unlink: return SYSCALL(__NR_unlinkat, AT_FDCWD, text, 0);
    case OP_Memory: return total_memory();
    case OP_PageSize: return auxiliary(host, AT_PAGESZ);
    case OP_Euid: return auxiliary(host, AT_EUID);
    case OP_Pid: return SYSCALL(__NR_getpid, 0);
    case OP_Time: return SYSCALL(__NR_time, 0);
    case OP_Uname:
      return output_len < sizeof(struct new_utsname) ? failed(EFAULT) : SYSCALL(__NR_uname, output);
    case OP_IgnoreSignals: return ignore_signals();
    case OP_Exit: return SYSCALL(__NR_exit_group, a);
    case OP_Mkdir: return SYSCALL(__NR_mkdirat, AT_FDCWD, text, 0755);
    case OP_Mknod: return SYSCALL(__NR_mknodat, AT_FDCWD, text, S_IFCHR | 0600, a);
    case OP_Mount: /* The file system, which is also the source; the target begins at offset a. */
      if (a >= input_len) return failed(EINVAL);
      return SYSCALL(__NR_mount, text, input + a, text, MS_NOSUID | MS_NOEXEC, 0);
    case OP_Umount: return SYSCALL(__NR_umount2, text, 0);
    case OP_FileDevice: return file_number(text, STAT_DEVICE);
    case OP_FileInode: return file_number(text, STAT_INODE);
    case OP_Execve: return execute(host, text, input_len);
    case OP_MayReboot: return enable_ctrl_alt_del();
    case OP_Fork: return SYSCALL(__NR_fork, 0);
    case OP_Wait: return wait_for(a);
    case OP_Touch: return touch(a);
    case OP_FileSystemType: return file_system_number(a, STATFS_TYPE);
    case OP_BlockSize: return file_system_number(a, STATFS_BLOCK);
    case OP_FilterMode: return SYSCALL(__NR_prctl, PR_GET_SECCOMP, 0);
    case OP_FatalCalls: return 0; /* No attempt ended early: this is the first one. */
    case OP_Reboot: return reboot(LINUX_REBOOT_CMD_POWER_OFF);
    case OP_Terminal: {
      struct { unsigned short rows, columns, width, height; } window; /* struct winsize, asm/termios.h */
      return SYSCALL(__NR_ioctl, a, TIOCGWINSZ, &window);
    }
    case OP_NoColor: return no_color(host);
    case OP_Pause: return SYSCALL(__NR_pause, 0);
    case OP_Sleep: return sleep_a_second();
  }
  return failed(ENOSYS);
}

u32 Z_hostZ_call(Host *host, u32 op, u32 a, u32 b, u32 c, u32 d, u32 e, u32 input, u32 input_len, u32 output,
                 u32 output_len) {
  long result =
      operation(host, op, a, b, c, d, e, span(input, input_len), input_len, span(output, output_len), output_len);
  return is_error(result) ? -generic_errno(-result) : result;
}

/* gcc calls these functions even in a freestanding program. */
void *memcpy(void *to, const void *from, size_t len) {
  for (size_t i = 0; i < len; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}
void *memset(void *to, int byte, size_t len) {
  for (size_t i = 0; i < len; i++) ((char *)to)[i] = byte;
  return to;
}
void *memmove(void *to, const void *from, size_t len) {
  if (to < from) return memcpy(to, from, len);
  while (len-- > 0) ((char *)to)[len] = ((const char *)from)[len];
  return to;
}

/* At entry r25 is argc and r24 is argv (arch/parisc/include/asm/processor.h, start_thread). The
 * stack grows upwards. r27 must hold the global data pointer. */
asm(".globl _start\n"
    ".type _start,@function\n"
    "_start:\n"
    "  ldil L%$global$,%r27\n"
    "  ldo R%$global$(%r27),%r27\n"
    "  ldo 64(%r30),%r30\n"
    "  copy %r25,%r26\n"
    "  bl start,%r2\n"
    "  copy %r24,%r25\n");
__attribute__((used)) void start(int argc, char **argv) {
  static Z_mapprobe_instance_t instance;
  Host host = {argc, argv, argv + argc + 1};
  char **end_of_env = host.envp;
  while (*end_of_env) end_of_env++;
  host.auxv = (unsigned long *)(end_of_env + 1);
  Z_mapprobe_init_module();
  Z_mapprobe_instantiate(&instance, &host);
  end(Z_mapprobeZ_run(&instance));
}
