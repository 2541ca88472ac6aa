// SPDX-License-Identifier: GPL-2.0-only
/*
 * memlend-exec SIZE NODE COMMAND [ARGUMENT...]
 *
 * Borrows SIZE bytes (with K, M or G) of memory from the kernel, of node NODE or, with
 * -1, of any, and runs COMMAND, in whose arguments {} is replaced by a path that is the
 * memory. It is given back when COMMAND and all it has started are gone. For example:
 *
 *	memlend-exec 2G 0 qemu-system-x86_64 -m 2G -machine memory-backend=lent \
 *		-object memory-backend-file,id=lent,size=2G,share=on,mem-path={} ...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/memlend.h>

static unsigned long long parse_size(const char *text)
{
	static const char units[] = "KMG";
	char *end;
	unsigned long long size = strtoull(text, &end, 0);
	const char *unit = strchr(units, *end);

	if (*end && unit) {
		size <<= 10 * (unit - units + 1);
		end++;
	}
	return *end ? 0 : size;
}

/* borrow() - a file descriptor that exec() keeps, or -1 and errno */
static int borrow(unsigned long long size, int node)
{
	struct memlend_alloc want = {
		.size = size,
		.node = node,
	};
	int device, memory = -1;

	device = open("/dev/memlend", O_RDWR | O_CLOEXEC);
	if (device < 0)
		return -1;
	memory = ioctl(device, MEMLEND_ALLOC, &want);
	close(device);
	if (memory >= 0 && fcntl(memory, F_SETFD, 0) < 0)
		return -1;
	return memory;
}

/* fill_in() - a copy of @argument with @path for each {} */
static char *fill_in(const char *argument, const char *path)
{
	const char *gap;
	char *filled;
	size_t size;
	FILE *text = open_memstream(&filled, &size);

	if (!text)
		return NULL;
	while ((gap = strstr(argument, "{}"))) {
		fprintf(text, "%.*s%s", (int)(gap - argument), argument, path);
		argument = gap + 2;
	}
	fputs(argument, text);
	return fclose(text) ? NULL : filled;
}

int main(int argc, char **argv)
{
	char path[32];
	int i, memory;

	if (argc < 4) {
		fprintf(stderr, "usage: memlend-exec SIZE NODE COMMAND [ARGUMENT...]\n");
		return 2;
	}

	memory = borrow(parse_size(argv[1]), atoi(argv[2]));
	if (memory < 0) {
		fprintf(stderr, "memlend-exec: %s of node %s: %s\n", argv[1], argv[2],
			strerror(errno));
		return 1;
	}

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	for (i = 3; i < argc; i++) {
		argv[i] = fill_in(argv[i], path);
		if (!argv[i]) {
			perror("memlend-exec");
			return 1;
		}
	}
	execvp(argv[3], argv + 3);
	fprintf(stderr, "memlend-exec: %s: %s\n", argv[3], strerror(errno));
	return 127;
}
