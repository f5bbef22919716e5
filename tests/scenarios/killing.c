/* Executes a program under a system call filter that kills (seccomp(2)).
 *
 *	killing CALL... -- PROGRAM [ARGUMENT]...
 *
 * Each CALL is the name of a system call, or mmap=FLAGS: an mmap with flags that are not in FLAGS. */
#define _GNU_SOURCE
#include "filter.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS = 16, PER_CALL = 6 };
#define CALL(name) { #name, SYS_##name }

static const struct {
	const char *name;
	unsigned number;
} calls[] = {
	CALL(mmap), CALL(munmap), CALL(mincore), CALL(madvise), CALL(msync), CALL(memfd_create),
	CALL(pipe2), CALL(close), CALL(read), CALL(pread64), CALL(openat), CALL(uname),
	CALL(sysinfo), CALL(getpid), CALL(clock_gettime), CALL(rt_sigaction), CALL(prctl),
	CALL(ioctl), CALL(reboot), CALL(newfstatat), CALL(unlinkat),
};

static int fail(const char *what)
{
	fprintf(stderr, "killing: %s\n", what);
	return 100;
}

int main(int argc, char **argv)
{
	struct sock_filter filter[CALLS * PER_CALL + 2] = { LOAD_NUMBER };
	size_t count = 1;
	int at = 1;

	for (; at < argc && strcmp(argv[at], "--"); at++) {
		char *flags = strchr(argv[at], '=');
		size_t index = 0;

		if (flags)
			*flags++ = 0;
		while (index < sizeof(calls) / sizeof(*calls) && strcmp(calls[index].name, argv[at]))
			index++;
		if (index == sizeof(calls) / sizeof(*calls) || at > CALLS)
			return fail(argv[at]);
		const struct sock_filter rules[PER_CALL] = {
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[index].number, 0, 4),
			LOAD_ARGUMENT(3),
			BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
				 flags ? ~(unsigned)strtoul(flags, NULL, 0) : 0, 1, flags ? 0 : 1),
			ALLOW,
			KILL,
			LOAD_NUMBER,
		};
		memcpy(filter + count, rules, sizeof(rules));
		count += PER_CALL;
	}
	filter[count++] = (struct sock_filter)ALLOW;
	if (at + 1 >= argc)
		return fail("no program");
	if (install(filter, count))
		return fail("no filter can be installed");
	execv(argv[at + 1], argv + at + 1);
	return fail(argv[at + 1]);
}
