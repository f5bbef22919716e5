/* A file system in user space (Documentation/filesystems/fuse.rst), without libfuse: a directory
 * with two files of one page each. The server opens `direct` with FOPEN_DIRECT_IO, so that its
 * content is not cached, and `cached` without. Nothing can be stored in either. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { DIRECTORY = FUSE_ROOT_ID, CACHED, DIRECT, CONTENT = 4096, REQUEST = 1 << 18 };

static void fuse_attributes(uint64_t node, struct fuse_attr *to)
{
	to->ino = node;
	to->mode = node == DIRECTORY ? S_IFDIR | 0755 : S_IFREG | 0666;
	to->nlink = 1;
	to->size = CONTENT;
}

/* Fills the answer to a request; returns its size, or an error as a negative number. */
static int fuse_answer(const struct fuse_in_header *request, const void *arguments, void *to)
{
	switch (request->opcode) {
	case FUSE_INIT: {
		struct fuse_init_out *init = to;

		init->major = FUSE_KERNEL_VERSION;
		/* The kernel uses the older of both minor versions. */
		init->minor = FUSE_KERNEL_MINOR_VERSION;
		init->max_write = CONTENT;
		return sizeof(*init);
	}
	case FUSE_LOOKUP: {
		struct fuse_entry_out *entry = to;

		if (!strcmp(arguments, "cached"))
			entry->nodeid = CACHED;
		else if (!strcmp(arguments, "direct"))
			entry->nodeid = DIRECT;
		fuse_attributes(entry->nodeid, &entry->attr);
		return entry->nodeid ? (int)sizeof(*entry) : -ENOENT;
	}
	case FUSE_GETATTR:
		fuse_attributes(request->nodeid, &((struct fuse_attr_out *)to)->attr);
		return sizeof(struct fuse_attr_out);
	case FUSE_OPEN:
		((struct fuse_open_out *)to)->open_flags = request->nodeid == DIRECT ? FOPEN_DIRECT_IO : 0;
		return sizeof(struct fuse_open_out);
	case FUSE_READ: {
		uint32_t size = ((const struct fuse_read_in *)arguments)->size;

		return size < CONTENT ? size : CONTENT;
	}
	case FUSE_STATFS:
		return sizeof(struct fuse_statfs_out);
	case FUSE_RELEASE:
		return 0;
	}
	return -ENOSYS;
}

/* Answers requests until the file system is unmounted. */
static void fuse_answer_all(int device)
{
	static char request[REQUEST], answer[CONTENT];

	while (read(device, request, REQUEST) > 0) {
		const struct fuse_in_header *in = (void *)request;
		struct fuse_out_header out = { .unique = in->unique };
		struct iovec parts[] = { { &out, sizeof(out) }, { answer, 0 } };
		int size;

		if (in->opcode == FUSE_FORGET || in->opcode == FUSE_BATCH_FORGET)
			continue;
		memset(answer, 0, sizeof(answer));
		size = fuse_answer(in, request + sizeof(*in), answer);
		parts[1].iov_len = size > 0 ? size : 0;
		out.error = size < 0 ? size : 0;
		out.len = sizeof(out) + parts[1].iov_len;
		if (writev(device, parts, 2) < 0)
			perror("lab set-up: fuse");
	}
}

/* Mounts the file system and serves it in another process; returns 0 on success. */
static int serve(const char *directory)
{
	char options[64];
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t server;

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (device < 0 || mount("fuse", directory, "fuse", 0, options) || (server = fork()) < 0)
		return -1;
	if (!server) {
		/* The program's output ends when nobody can write it any more. */
		dup2(2, 1);
		fuse_answer_all(device);
		_exit(0);
	}
	return close(device);
}
