/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fuzz target: a program that is handed bytes, does with them what somebody
 * hostile could, and must neither crash nor hang. Each target defines
 * fuzz_one(); the driver is libFuzzer (./configure --enable-fuzzing) or replay.c,
 * which runs files once. docs/testing.md says how to use them.
 *
 * Inputs never decide by themselves what leaves the process: no target opens,
 * writes or connects to a path that comes out of its input.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/* Each target's: what to do with one input. Leaves things as it found them. */
int fuzz_one(const uint8_t *data, size_t size);
/* Calls fuzz_one() as @argc and @argv say; the exit status. */
int fuzz_drive(int argc, char **argv);

/* What is left of an input. Behind its end all is zero. */
typedef struct FuzzInput {
    const uint8_t *at;
    const uint8_t *end;
} FuzzInput;

uint8_t fuzz_u8(FuzzInput *in);
uint16_t fuzz_u16(FuzzInput *in);
uint32_t fuzz_u32(FuzzInput *in);
uint64_t fuzz_u64(FuzzInput *in);
/* Below @n, which is up to 256. */
unsigned fuzz_below(FuzzInput *in, unsigned n);
/* A number, with a liking for those at which something ends. */
uint64_t fuzz_number(FuzzInput *in);
/* Up to @max bytes and a NUL; g_free(). */
char *fuzz_text(FuzzInput *in, size_t max);

/* Whether @text could lead to a file outside of the working directory. */
bool fuzz_names_a_file(const char *text);

#endif
