/* PID 1 of a guest whose scenario has steps before the program. A child executes the steps in the
 * file /setup, one per line; the last step, `run`, executes the program. The program's output goes
 * to the console in numbered lines with checksums (the frame of the program's own PID 1 mode),
 * because kernel messages would break a plain report. Then the machine is powered off.
 *
 *	mount TYPE DIRECTORY [DEVICE [OPTIONS]]	creates the directory first
 *	module FILE				loads a kernel module
 *	wait FILE				waits until the file exists, at most ten seconds
 *	copy FROM TO
 *	write FILE TEXT
 *	memlock BYTES				sets both limits of RLIMIT_MEMLOCK
 *	user ID					sets user and group, without capabilities
 *	reject-locked				installs a filter: EPERM for mmap with MAP_LOCKED and for mincore
 *	run PROGRAM [ARGUMENT ..]
 *	print FILE				instead of run: the content replaces a program's output
 *
 * A failed step is reported on the console, and no report is printed. */
#define _GNU_SOURCE
#include "filter.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32, WIDTH = 64 };

/* A growing buffer. */
struct bytes {
	unsigned char *at;
	size_t count;
};

static int read_all(int file, struct bytes *to)
{
	ssize_t got;

	do {
		to->at = realloc(to->at, to->count + 65536);
		if (!to->at)
			return -1;
		got = read(file, to->at + to->count, 65536);
		if (got > 0)
			to->count += got;
	} while (got > 0);
	return got < 0 ? -1 : 0;
}

static int read_file(const char *name, struct bytes *to)
{
	int file = open(name, O_RDONLY);

	return file < 0 || read_all(file, to) ? -1 : close(file);
}

/* One call writes a sysctl; a disk may need several. */
static int write_all(int file, const unsigned char *from, size_t count)
{
	ssize_t put;

	for (; count; from += put, count -= put)
		if ((put = write(file, from, count)) < 0)
			return -1;
	return 0;
}

static int write_file(const char *name, const unsigned char *from, size_t count)
{
	int file = open(name, O_WRONLY);

	if (file < 0 || write_all(file, from, count))
		return -1;
	return fsync(file) && errno != EINVAL ? -1 : close(file);
}

/* The flags of mmap are its fourth argument. */
static int reject_locked(void)
{
	struct sock_filter filter[] = {
		LOAD_NUMBER,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
		LOAD_ARGUMENT(3),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_LOCKED, 0, 1),
		REJECT(EPERM),
		ALLOW,
	};

	return install(filter, sizeof(filter) / sizeof(*filter));
}

/* Executes a step; returns 0 on success. */
static int step(char **word, int words)
{
	struct bytes content = { 0 };

	if (!strcmp(word[0], "mount") && words >= 3) {
		if (mkdir(word[2], 0755) && errno != EEXIST)
			return -1;
		return mount(words > 3 ? word[3] : word[1], word[2], word[1], 0,
			     words > 4 ? word[4] : "");
	}
	if (!strcmp(word[0], "module") && words == 2)
		return read_file(word[1], &content) ||
		       syscall(SYS_init_module, content.at, content.count, "");
	for (int tries = 0; !strcmp(word[0], "wait") && words == 2; tries++) {
		if (!access(word[1], F_OK) || tries == 1000)
			return access(word[1], F_OK);
		usleep(10000);
	}
	if (!strcmp(word[0], "copy") && words == 3)
		return read_file(word[1], &content) || write_file(word[2], content.at, content.count);
	if (!strcmp(word[0], "write") && words == 3)
		return write_file(word[1], (unsigned char *)word[2], strlen(word[2]));
	if (!strcmp(word[0], "memlock") && words == 2) {
		struct rlimit limit = { strtoul(word[1], NULL, 10), strtoul(word[1], NULL, 10) };
		return setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	if (!strcmp(word[0], "user") && words == 2)
		return setgroups(0, NULL) || setgid(atoi(word[1])) || setuid(atoi(word[1]));
	if (!strcmp(word[0], "reject-locked") && words == 1)
		return reject_locked();
	if (!strcmp(word[0], "run") && words > 1)
		return execv(word[1], word + 1);
	if (!strcmp(word[0], "print") && words == 2) {
		if (read_file(word[1], &content) || write_all(1, content.at, content.count))
			return -1;
		_exit(0);
	}
	errno = ENOSYS;
	return -1;
}

/* Executes every line of /setup in the child. Returns only if a step fails. */
static void do_steps(void)
{
	char line[1024];
	FILE *steps = fopen("/setup", "re");

	while (steps && fgets(line, sizeof(line), steps)) {
		char *word[WORDS + 1] = { 0 };
		int words = 0;

		for (char *at = strtok(line, " \n"); at && words < WORDS; at = strtok(NULL, " \n"))
			word[words++] = at;
		if (words && step(word, words)) {
			fprintf(stderr, "lab set-up: %s %s: %s\n", word[0], words > 1 ? word[1] : "",
				strerror(errno));
			return;
		}
	}
	fprintf(stderr, "lab set-up: no program was run\n");
}

/* CRC-32 of IEEE 802.3. */
static uint32_t crc32(const unsigned char *bytes, size_t count)
{
	uint32_t crc = ~0u;

	while (count--) {
		crc ^= *bytes++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

/* A line is one write, so that fewer kernel messages divide it. */
static void print_framed(const struct bytes *report, int exit)
{
	unsigned char piece[WIDTH];
	size_t filled = 0;
	unsigned lines = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("mapprobe: begin 1\n");
	for (size_t at = 0; at < report->count; at++) {
		unsigned char byte = report->at[at];

		if (byte == '\n' || byte == '\\') {
			piece[filled++] = '\\';
			byte = byte == '\n' ? 'n' : '\\';
		}
		piece[filled++] = byte;
		if (report->at[at] == '\n' || filled + 2 > WIDTH || at + 1 == report->count) {
			printf("mapprobe:%04u:%08x:%.*s\n", ++lines, crc32(piece, filled), (int)filled, piece);
			filled = 0;
		}
	}
	printf("mapprobe: end lines=%u bytes=%zu crc32=%08x exit=%d\n", lines, report->count,
	       crc32(report->at, report->count), exit);
}

int main(void)
{
	struct bytes report = { 0 };
	int ends[2], status = 0;
	pid_t child;

	if (pipe(ends) || (child = fork()) < 0) {
		perror("lab set-up: fork");
	} else if (!child) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		do_steps();
		_exit(99);
	} else {
		close(ends[1]);
		if (read_all(ends[0], &report) || waitpid(child, &status, 0) != child)
			perror("lab set-up: the program's output");
		else if (!WIFEXITED(status))
			fprintf(stderr, "lab set-up: the program was killed by signal %d\n", WTERMSIG(status));
		else if (report.count)
			print_framed(&report, WEXITSTATUS(status));
	}
	reboot(RB_POWER_OFF);
	perror("lab set-up: reboot");
	return 1;
}
