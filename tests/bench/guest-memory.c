/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What benchmarks have a guest do with its memory; a static file, as the guest has
 * no libraries.
 *
 *   guest-memory touch BYTES       writes to each page of BYTES of new memory, twice;
 *                                  prints the seconds that each of it took
 *   guest-memory triad BYTES PART  on CPU 0, until it is killed: a[i] = b[i] + 3 * c[i],
 *                                  as STREAM does, over arrays of BYTES together; for
 *                                  each PART prints the time, in seconds since the
 *                                  boot, and MB/s
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE 4096UL

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_BOOTTIME, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Memory that nobody has touched. */
static void *map(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static void touch(size_t bytes)
{
    volatile char *p = map(bytes);

    for (int round = 1; round <= 2; round++) {
        double start = now();

        for (size_t i = 0; i < bytes; i += PAGE) {
            p[i] = (char)round;
        }
        printf("%.6f\n", now() - start);
    }
}

static void triad(size_t bytes, size_t part)
{
    size_t n = bytes / 3 / sizeof(double), step = part / 3 / sizeof(double);
    double *a = map(bytes), *b = a + n, *c = b + n;
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof(first), &first);
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(a, 1, n * 3 * sizeof(double));
    for (size_t at = 0;; at = at + 2 * step <= n ? at + step : 0) {
        double start = now(), end;

        for (size_t i = at; i < at + step; i++) {
            a[i] = b[i] + 3 * c[i];
        }
        end = now();
        printf("%.6f %.3f\n", end, (double)part / (end - start) / 1e6);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "touch")) {
        touch(strtoull(argv[2], NULL, 0));
    } else if (argc == 4 && !strcmp(argv[1], "triad")) {
        triad(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0));
    } else {
        fprintf(stderr, "usage: guest-memory touch BYTES | triad BYTES PART\n");
        return 2;
    }
    return 0;
}
