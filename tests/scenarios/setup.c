/* PID 1 of a guest whose scenario has steps before the program. A child executes the steps in the
 * file /setup, one per line (steps.h has the language); the last step, `run`, executes the program.
 * The program's output goes to the console in numbered lines with checksums (the frame of the
 * program's own PID 1 mode), because kernel messages would break a plain report. Then the machine
 * is powered off.
 *
 * A failed step is reported on the console, and no report is printed. */
#define _GNU_SOURCE
#include "bytes.h"
#include "steps.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32, WIDTH = 64 };

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
