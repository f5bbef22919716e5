/* PID 1 of a guest that keeps bad company for mapprobe: does what its first word says, says what is open and mounted, and becomes
 * /mapprobe, which hands the other words over to /init: this program again. Without a word that it knows it switches the machine off.
 *
 *	closed		standard input, output and error are closed, as they are when the kernel finds no console
 *	full		they are /dev/full
 *	file		they are a plain file, like the console in the archive of a container
 *	broken-pipe	they are a pipe that nobody reads
 *	hung-up		they are a terminal whose other side is gone
 *	slow		they are a small pipe that does not wait, and whose reader does
 *	no-proc		/proc is a file
 *	read-only	closed, and nothing can be made in the root file system
 *	no-mount	closed, and mount is refused with EPERM
 *	stuck		nobody may switch the machine off
 *	powerless	that is refused from the beginning, and so is pause
 *	log		prints the kernel's log on the first serial line
 *
 * It has devices of its own in /lab. Where mapprobe is to rest at its end, a child watches how much of the processor it uses. */
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

enum { FILES = 64, WORDS = 32 };
#define PROC "/lab/proc"

static int console;

/* One write, so that no kernel message gets into the line. */
static void say(const char *text)
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
	say(text);
	reboot(RB_POWER_OFF);
}

/* Every open file with its kind and flags, and every mount, but those of this program. */
static void say_state(const char *which, const char *word)
{
	char text[1900], type[64], place[256];
	size_t at = snprintf(text, sizeof(text), "%s %s: open", which, word);
	FILE *mounts;

	for (int file = 0; file < FILES; file++) {
		struct stat stat;

		if (file == console || fstat(file, &stat))
			continue;
		at += snprintf(text + at, sizeof(text) - at, " %d=%o/%lx/%x", file, stat.st_mode, (long)stat.st_rdev, fcntl(file, F_GETFL));
	}
	at += snprintf(text + at, sizeof(text) - at, "; mounted");
	if (!mount("proc", PROC, "proc", 0, "")) {
		mounts = fopen(PROC "/self/mounts", "r");
		while (mounts && fscanf(mounts, "%*s %255s %63s%*[^\n]", place, type) == 2)
			if (strcmp(place, PROC))
				at += snprintf(text + at, sizeof(text) - at, " %s=%s", place, type);
		if (mounts)
			fclose(mounts);
		umount2(PROC, MNT_DETACH);
	} else {
		snprintf(text + at, sizeof(text) - at, " what cannot be told");
	}
	say(text);
}

/* Makes a file standard input, output and error. */
static void give(int file, const char *what)
{
	must(file < 0, what);
	for (int to = 0; to < 3; to++)
		must(dup2(file, to) != to, what);
	if (file > 2)
		close(file);
}

static void give_pipe(int slow)
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
	give(ends[1], "pipe");
}

static void give_hung_up(void)
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
	give(terminal, name);
}

/* Answers a system call with an error; if there is a command, only when its third argument is that. */
static void refuse(long number, int error, unsigned command)
{
	struct sock_filter filter[] = {
		LOAD_NUMBER,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
		LOAD_ARGUMENT(2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, command, 0, command ? 1 : 0),
		REFUSE(error),
		ALLOW,
	};

	must(install(filter, sizeof(filter) / sizeof(*filter)), "seccomp");
}

/* Hundredths of a second of all processes with the program's name, and in what states they are. */
static long used(char *states)
{
	long ticks = 0;

	for (int pid = 1; pid < 200; pid++) {
		char name[64], state;
		unsigned long user, kernel;
		FILE *stat;

		snprintf(name, sizeof(name), PROC "/%d/stat", pid);
		stat = fopen(name, "r");
		if (stat && fscanf(stat, "%*d (%63[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", name, &state, &user, &kernel) == 4
		    && !strcmp(name, "mapprobe")) {
			ticks += user + kernel;
			*states++ = state;
		}
		if (stat)
			fclose(stat);
	}
	*states = 0;
	return ticks;
}

/* A child that says what the program does when nothing comes any more, after four seconds of rest or thirty of none. */
static void watch(void)
{
	char text[300], states[200];
	long before = -1000, now = 0;

	if (fork())
		return;
	must(mount("proc", PROC, "proc", 0, ""), PROC);
	for (int tries = 0; tries < 10; tries++) {
		sleep(3);
		now = used(states);
		/* Where a sleep of a second is all there is, a tick may be used. */
		if (*states && now - before <= 1)
			break;
		before = now;
	}
	snprintf(text, sizeof(text), "mapprobe is %s and used %ld of 300 ticks", states, now - before);
	say(text);
	reboot(RB_POWER_OFF);
}

static void print_log(void)
{
	static char log[1 << 20];
	/* SYSLOG_ACTION_READ_ALL, syslog(2) */
	int serial = open("/lab/ttyS0", O_WRONLY | O_NOCTTY), count = klogctl(3, log, sizeof(log));

	must(serial < 0 || count < 0 || write(serial, log, count) != count || tcdrain(serial), "log");
}

/* Whether it is a word of ours, and done. */
static int keep_company(const char *word)
{
	if (!strcmp(word, "closed") || !strcmp(word, "read-only") || !strcmp(word, "no-mount")) {
		for (int file = 0; file < 3; file++)
			close(file);
	} else if (!strcmp(word, "full")) {
		give(open("/lab/full", O_RDWR), word);
	} else if (!strcmp(word, "file")) {
		give(open("/lab/file", O_RDWR | O_CREAT | O_TRUNC, 0600), word);
	} else if (!strcmp(word, "broken-pipe") || !strcmp(word, "slow")) {
		give_pipe(!strcmp(word, "slow"));
	} else if (!strcmp(word, "hung-up")) {
		give_hung_up();
	} else if (!strcmp(word, "no-proc")) {
		rmdir("/proc");
		give(open("/proc", O_WRONLY | O_CREAT | O_EXCL, 0600), word);
		give(open("/lab/console", O_RDWR | O_NOCTTY), word);
	} else if (!strcmp(word, "stuck") || !strcmp(word, "powerless")) {
		give(open("/lab/console", O_RDWR | O_NOCTTY), word);
		watch();
	} else {
		return 0;
	}
	if (!strcmp(word, "read-only"))
		must(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL), word);
	if (!strcmp(word, "no-mount"))
		refuse(SYS_mount, EPERM, 0);
	say_state("leaves", word);
	if (!strcmp(word, "stuck"))
		refuse(SYS_reboot, EPERM, LINUX_REBOOT_CMD_POWER_OFF);
	if (!strcmp(word, "powerless")) {
		mkdir("/proc", 0755);
		must(mount("proc", "/proc", "proc", 0, ""), "/proc");
		refuse(SYS_reboot, EPERM, 0);
		refuse(SYS_ppoll, ENOSYS, 0);
	}
	return 1;
}

int main(int argc, char **argv)
{
	char *words[WORDS + 4] = { "/mapprobe" };
	int count = 1, opened = open("/lab/console", O_WRONLY | O_NOCTTY);

	if (opened < 0)
		opened = open("/lab/ttyS0", O_WRONLY | O_NOCTTY);
	/* Out of the way. */
	console = fcntl(opened, F_DUPFD_CLOEXEC, FILES - 1);
	close(opened);
	mount(NULL, "/", NULL, MS_REMOUNT, NULL);
	say_state("finds", argc > 1 ? argv[1] : "nothing");
	if (argc > 1 && !strcmp(argv[1], "log"))
		print_log();
	if (argc > 1 && keep_company(argv[1])) {
		for (int i = 2; i < argc && count < WORDS; i++)
			words[count++] = argv[i];
		words[count++] = "--format";
		words[count++] = "table";
		execv(words[0], words);
		must(1, words[0]);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
