/* Bytes and files for the programs of this directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

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

/* `creating` is O_CREAT, or 0 for a file that must exist. */
static int write_file(const char *name, int creating, const unsigned char *from, size_t count)
{
	int file = open(name, O_WRONLY | creating, 0644);

	if (file < 0 || write_all(file, from, count))
		return -1;
	return fsync(file) && errno != EINVAL ? -1 : close(file);
}
