/* The language of /setup:
 *
 *	mount TYPE DIRECTORY [DEVICE [OPTIONS]]	creates the directory first
 *	mkdir DIRECTORY
 *	module FILE				loads a kernel module
 *	wait FILE				waits until the file exists, at most ten seconds
 *	copy FROM TO				creates the file TO if it does not exist
 *	write FILE TEXT
 *	loop FILE DEVICE			makes the file the content of a loop device
 *	fuse DIRECTORY				serves the file system of fuse.h
 *	limit NAME NUMBER			sets both limits of memlock, fsize or nofile
 *	user ID					sets user and group, without capabilities
 *	reject-locked				installs a filter: EPERM for mmap with MAP_LOCKED and for mincore
 *	reject CALL ..				installs a filter: ENOSYS for these calls
 *	kill CALL ..				installs a filter: these calls end the process
 *	run PROGRAM [ARGUMENT ..]
 *	print FILE				instead of run: the content replaces a program's output */
#include "filter.h"
#include "fuse.h"
#include <grp.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int no_such_step(void)
{
	errno = ENOSYS;
	return -1;
}

static int step_mkdir(char **word)
{
	return mkdir(word[0], 0755) && errno != EEXIST ? -1 : 0;
}

static int step_mount(char **word)
{
	const char *device = word[2] ? word[2] : word[0], *options = word[2] ? word[3] : NULL;

	return step_mkdir(word + 1) || mount(device, word[1], word[0], 0, options ? options : "");
}

static int step_module(char **word)
{
	struct bytes content = { 0 };

	return read_file(word[0], &content) ||
	       syscall(SYS_init_module, content.at, content.count, "");
}

static int step_wait(char **word)
{
	for (int tries = 0; access(word[0], F_OK) && tries < 1000; tries++)
		usleep(10000);
	return access(word[0], F_OK);
}

static int step_copy(char **word)
{
	struct bytes content = { 0 };

	return read_file(word[0], &content) || write_file(word[1], O_CREAT, content.at, content.count);
}

static int step_write(char **word)
{
	return write_file(word[0], 0, (unsigned char *)word[1], strlen(word[1]));
}

/* The device keeps the file open. */
static int step_loop(char **word)
{
	int file = open(word[0], O_RDWR | O_CLOEXEC), device = open(word[1], O_RDWR | O_CLOEXEC);

	return file < 0 || device < 0 ? -1 : ioctl(device, LOOP_SET_FD, file);
}

static int step_fuse(char **word)
{
	return step_mkdir(word) || serve(word[0]);
}

static int step_limit(char **word)
{
	static const struct {
		const char *name;
		int resource;
	} all[] = { { "memlock", RLIMIT_MEMLOCK }, { "fsize", RLIMIT_FSIZE }, { "nofile", RLIMIT_NOFILE } };
	struct rlimit limit = { strtoul(word[1], NULL, 10), strtoul(word[1], NULL, 10) };

	for (size_t at = 0; at < sizeof(all) / sizeof(*all); at++)
		if (!strcmp(word[0], all[at].name))
			return setrlimit(all[at].resource, &limit);
	return no_such_step();
}

static int step_user(char **word)
{
	return setgroups(0, NULL) || setgid(atoi(word[0])) || setuid(atoi(word[0]));
}

/* The flags of mmap are its fourth argument. */
static int step_reject_locked(char **word)
{
#ifdef SYS_mmap2
	const int map = SYS_mmap2;
#else
	const int map = SYS_mmap;
#endif
	struct sock_filter filter[] = {
		LOAD_NUMBER,
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mincore, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, map, 0, 3),
		LOAD_ARGUMENT(3),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_LOCKED, 0, 1),
		REJECT(EPERM),
		ALLOW,
	};

	(void)word;
	return install(filter, sizeof(filter) / sizeof(*filter));
}

/* Installs a filter for each call. */
static int filter_calls(char **word, uint32_t result)
{
	static const struct {
		const char *name;
		int number;
	} all[] = { { "memfd_create", SYS_memfd_create }, { "mincore", SYS_mincore }, { "madvise", SYS_madvise } };

	for (; *word; word++) {
		size_t at = 0;

		while (at < sizeof(all) / sizeof(*all) && strcmp(*word, all[at].name))
			at++;
		if (at == sizeof(all) / sizeof(*all))
			return no_such_step();
		struct sock_filter filter[] = {
			LOAD_NUMBER,
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, all[at].number, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, result),
			ALLOW,
		};
		if (install(filter, sizeof(filter) / sizeof(*filter)))
			return -1;
	}
	return 0;
}

static int step_reject(char **word)
{
	return filter_calls(word, SECCOMP_RET_ERRNO | ENOSYS);
}

static int step_kill(char **word)
{
	return filter_calls(word, SECCOMP_RET_KILL_PROCESS);
}

static int step_run(char **word)
{
	return execv(word[0], word);
}

static int step_print(char **word)
{
	struct bytes content = { 0 };

	if (read_file(word[0], &content) || write_all(1, content.at, content.count))
		return -1;
	_exit(0);
}

/* Executes a step; returns 0 on success. A null pointer follows the last word. */
static int step(char **word, int words)
{
	static const struct {
		const char *name;
		int fewest, most;
		int (*execute)(char **word);
	} all[] = {
		{ "mount", 2, 4, step_mount },
		{ "mkdir", 1, 1, step_mkdir },
		{ "module", 1, 1, step_module },
		{ "wait", 1, 1, step_wait },
		{ "copy", 2, 2, step_copy },
		{ "write", 2, 2, step_write },
		{ "loop", 2, 2, step_loop },
		{ "fuse", 1, 1, step_fuse },
		{ "limit", 2, 2, step_limit },
		{ "user", 1, 1, step_user },
		{ "reject-locked", 0, 0, step_reject_locked },
		{ "reject", 1, 99, step_reject },
		{ "kill", 1, 99, step_kill },
		{ "run", 1, 99, step_run },
		{ "print", 1, 1, step_print },
	};

	for (size_t at = 0; at < sizeof(all) / sizeof(*all); at++)
		if (!strcmp(word[0], all[at].name) && words > all[at].fewest && words <= all[at].most + 1)
			return all[at].execute(word + 1);
	return no_such_step();
}
