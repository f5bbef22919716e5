/* PID 1 of a guest with a hostile environment for mapprobe. Creates the environment named by its
 * first argument, prints the open files and the mounts, and executes /mapprobe with the other
 * arguments. mapprobe passes them on to /init, which is this program again. With an unknown
 * argument, or without arguments, this program powers the machine off.
 *
 *	closed		standard input, output and error are closed, as for a kernel without a console
 *	full		they are /dev/full
 *	file		they are a regular file, like the console in the archive of a container
 *	broken-pipe	they are a pipe without a reader
 *	hung-up		they are a terminal whose other side is closed
 *	slow		they are a small non-blocking pipe with a slow reader
 *	no-proc		/proc is a regular file
 *	read-only	closed, and the root file system is read-only
 *	no-mount	closed, and mount fails with EPERM
 *	stuck		powering off fails with EPERM
 *	powerless	every reboot call fails with EPERM, and pause with ENOSYS
 *	killing		a system call filter kills on memfd_create and mincore
 *	log		prints the kernel's log on the first serial line
 *
 * The device files of this program are in /lab. In the environments `stuck` and `powerless`, where
 * mapprobe must end asleep, a child measures its processor time. */
#define _GNU_SOURCE
#include "filter.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

enum { FILES = 64, ARGUMENTS = 32 };
#define PROC "/lab/proc"

static int console;

/* One write, so that no kernel message divides the line. */
static void print(const char *text)
{
	char line[2048];
	int count = snprintf(line, sizeof(line), "lab hostile: %s\n", text);

	if (write(console, line, count) != count)
		reboot(RB_POWER_OFF);
}

static void must(int failed, const char *what)
{
	char text[256];

	if (!failed)
		return;
	snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
	print(text);
	reboot(RB_POWER_OFF);
}

/* Prints every open file with its type and flags, and every mount, except those of this program. */
static void print_state(const char *which, const char *name)
{
	char text[1900], type[64], path[256];
	size_t at = snprintf(text, sizeof(text), "%s %s: open", which, name);
	FILE *mounts;

	for (int file = 0; file < FILES; file++) {
		struct stat stat;

		if (file == console || fstat(file, &stat))
			continue;
		at += snprintf(text + at, sizeof(text) - at, " %d=%o/%lx/%x", file, stat.st_mode,
			       (long)stat.st_rdev, fcntl(file, F_GETFL));
	}
	at += snprintf(text + at, sizeof(text) - at, "; mounted");
	if (!mount("proc", PROC, "proc", 0, "")) {
		mounts = fopen(PROC "/self/mounts", "r");
		while (mounts && fscanf(mounts, "%*s %255s %63s%*[^\n]", path, type) == 2)
			if (strcmp(path, PROC))
				at += snprintf(text + at, sizeof(text) - at, " %s=%s", path, type);
		if (mounts)
			fclose(mounts);
		umount2(PROC, MNT_DETACH);
	} else {
		snprintf(text + at, sizeof(text) - at, " unknown");
	}
	print(text);
}

/* Makes a file standard input, output and error. */
static void set_standard_files(int file, const char *what)
{
	must(file < 0, what);
	for (int to = 0; to < 3; to++)
		must(dup2(file, to) != to, what);
	if (file > 2)
		close(file);
}

static void set_pipe(int slow)
{
	int ends[2];

	must(pipe(ends), "pipe");
	if (slow) {
		char bytes[4096];
		ssize_t got;

		must(fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK), "fcntl");
		if (!fork()) {
			for (int file = 0; file < FILES; file++)
				if (file != ends[0] && file != console)
					close(file);
			do {
				usleep(300000);
				got = read(ends[0], bytes, sizeof(bytes));
			} while (got > 0 && write(console, bytes, got) == got);
			_exit(0);
		}
	}
	close(ends[0]);
	set_standard_files(ends[1], "pipe");
}

/* Half fills the slow pipe with a line, so that a report does not fit into the rest. */
static void fill_pipe(void)
{
	char line[2048];

	memset(line, '.', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	must(write(STDOUT_FILENO, line, sizeof(line)) != sizeof(line), "pipe");
}

/* Waits until the reader of the slow pipe has printed everything. */
static void drain_pipe(void)
{
	struct stat stat;
	int left = 0;

	if (fstat(STDOUT_FILENO, &stat) || !S_ISFIFO(stat.st_mode))
		return;
	for (int tries = 0; tries < 100 && !ioctl(STDOUT_FILENO, FIONREAD, &left) && left; tries++)
		usleep(100000);
	must(left, "the pipe is not read");
	usleep(200000);
}

static void set_hung_up_terminal(void)
{
	int unlock = 0, number, other, terminal;
	char name[64];

	must(mount("devpts", PROC, "devpts", 0, "ptmxmode=600"), "devpts");
	other = open(PROC "/ptmx", O_RDWR | O_NOCTTY);
	must(other < 0 || ioctl(other, TIOCSPTLCK, &unlock) || ioctl(other, TIOCGPTN, &number), "ptmx");
	snprintf(name, sizeof(name), PROC "/%d", number);
	terminal = open(name, O_RDWR | O_NOCTTY);
	close(other);
	umount2(PROC, MNT_DETACH);
	set_standard_files(terminal, name);
}

/* Makes a system call fail. If `command` is not 0, only calls with this third argument fail. */
static void fail_call(long number, int error, unsigned command)
{
	struct sock_filter filter[] = {
		LOAD_NUMBER,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		LOAD_ARGUMENT(2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, command ? 1 : 0),
		REJECT(error),
		ALLOW,
	};

	must(install(filter, sizeof(filter) / sizeof(*filter)), "seccomp");
}

/* Makes system calls fatal. */
static void kill_on(long number, long other)
{
	struct sock_filter filter[] = {
		LOAD_NUMBER,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, other, 0, 1),
		KILL,
		ALLOW,
	};

	must(install(filter, sizeof(filter) / sizeof(*filter)), "seccomp");
}

/* The processor time of all processes with the program's name, in hundredths of a second, and their
 * states. */
static long processor_time(char *states)
{
	long ticks = 0;

	for (int pid = 1; pid < 200; pid++) {
		char name[64], state;
		unsigned long user, kernel;
		FILE *stat;

		snprintf(name, sizeof(name), PROC "/%d/stat", pid);
		stat = fopen(name, "r");
		/* Name, state, utime and stime, proc(5). */
		if (stat &&
		    fscanf(stat, "%*d (%63[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			   name, &state, &user, &kernel) == 4 &&
		    !strcmp(name, "mapprobe")) {
			ticks += user + kernel;
			*states++ = state;
		}
		if (stat)
			fclose(stat);
	}
	*states = 0;
	return ticks;
}

/* A child that prints the state of the program after three seconds without processor time, at the
 * latest after thirty seconds. */
static void watch(void)
{
	char text[300], states[200];
	long before = -1000, now = 0;

	if (fork())
		return;
	must(mount("proc", PROC, "proc", 0, ""), PROC);
	for (int tries = 0; tries < 10; tries++) {
		sleep(3);
		now = processor_time(states);
		/* A loop of one-second sleeps may use a tick. */
		if (*states && now - before <= 1)
			break;
		before = now;
	}
	snprintf(text, sizeof(text), "mapprobe is %s and used %ld of 300 ticks", states, now - before);
	print(text);
	reboot(RB_POWER_OFF);
}

static void print_log(void)
{
	static char log[1 << 20];
	/* SYSLOG_ACTION_READ_ALL, syslog(2) */
	int serial = open("/lab/ttyS0", O_WRONLY | O_NOCTTY), count = klogctl(3, log, sizeof(log));

	must(serial < 0 || count < 0 || write(serial, log, count) != count || tcdrain(serial), "log");
}

/* Creates the environment with a name; returns 0 if the name is unknown. */
static int create_environment(const char *name)
{
	if (!strcmp(name, "closed") || !strcmp(name, "read-only") || !strcmp(name, "no-mount")) {
		for (int file = 0; file < 3; file++)
			close(file);
	} else if (!strcmp(name, "full")) {
		set_standard_files(open("/lab/full", O_RDWR), name);
	} else if (!strcmp(name, "file")) {
		set_standard_files(open("/lab/file", O_RDWR | O_CREAT | O_TRUNC, 0600), name);
	} else if (!strcmp(name, "broken-pipe") || !strcmp(name, "slow")) {
		set_pipe(!strcmp(name, "slow"));
	} else if (!strcmp(name, "hung-up")) {
		set_hung_up_terminal();
	} else if (!strcmp(name, "no-proc")) {
		rmdir("/proc");
		set_standard_files(open("/proc", O_WRONLY | O_CREAT | O_EXCL, 0600), name);
		set_standard_files(open("/lab/console", O_RDWR | O_NOCTTY), name);
	} else if (!strcmp(name, "killing")) {
		set_standard_files(open("/lab/console", O_RDWR | O_NOCTTY), name);
	} else if (!strcmp(name, "stuck") || !strcmp(name, "powerless")) {
		set_standard_files(open("/lab/console", O_RDWR | O_NOCTTY), name);
		watch();
	} else {
		return 0;
	}
	if (!strcmp(name, "read-only"))
		must(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL), name);
	if (!strcmp(name, "no-mount"))
		fail_call(SYS_mount, EPERM, 0);
	print_state("leaves", name);
	if (!strcmp(name, "killing"))
		kill_on(SYS_memfd_create, SYS_mincore);
	if (!strcmp(name, "slow"))
		fill_pipe();
	if (!strcmp(name, "stuck"))
		fail_call(SYS_reboot, EPERM, LINUX_REBOOT_CMD_POWER_OFF);
	if (!strcmp(name, "powerless")) {
		mkdir("/proc", 0755);
		must(mount("proc", "/proc", "proc", 0, ""), "/proc");
		fail_call(SYS_reboot, EPERM, 0);
		fail_call(SYS_ppoll, ENOSYS, 0);
	}
	return 1;
}

int main(int argc, char **argv)
{
	char *arguments[ARGUMENTS + 4] = { "/mapprobe" };
	int count = 1, opened = open("/lab/console", O_WRONLY | O_NOCTTY);

	if (opened < 0)
		opened = open("/lab/ttyS0", O_WRONLY | O_NOCTTY);
	/* Above the files of the program. */
	console = fcntl(opened, F_DUPFD_CLOEXEC, FILES - 1);
	close(opened);
	mount(NULL, "/", NULL, MS_REMOUNT, NULL);
	drain_pipe();
	print_state("finds", argc > 1 ? argv[1] : "nothing");
	if (argc > 1 && !strcmp(argv[1], "log"))
		print_log();
	if (argc > 1 && create_environment(argv[1])) {
		for (int i = 2; i < argc && count < ARGUMENTS; i++)
			arguments[count++] = argv[i];
		arguments[count++] = "--format";
		arguments[count++] = "table";
		execv(arguments[0], arguments);
		must(1, arguments[0]);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
