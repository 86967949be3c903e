/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads, cores and sockets, and the APIC IDs that follow from them: a field
 * of the ID for each level, each wide enough for its number (Intel SDM, 8.9).
 */
#ifndef TARGET_I386_TOPOLOGY_H
#define TARGET_I386_TOPOLOGY_H

/* APIC IDs are below this: 0xff means all CPUs. */
#define X86_APIC_ID_LIMIT 255

typedef struct X86Topology {
    unsigned threads;                     /* per core, >= 1 */
    unsigned cores;                       /* per socket, >= 1 */
} X86Topology;

/* Bits of an APIC ID that number @n things. */
static inline unsigned x86_topology_bits(unsigned n)
{
    return n <= 1 ? 0 : 32 - __builtin_clz(n - 1);
}

static inline unsigned x86_thread_bits(const X86Topology *t)
{
    return x86_topology_bits(t->threads);
}

/* Bits that number the threads of a socket. */
static inline unsigned x86_socket_shift(const X86Topology *t)
{
    return x86_thread_bits(t) + x86_topology_bits(t->cores);
}

/* The APIC ID of the CPU @index; may be X86_APIC_ID_LIMIT or more. */
static inline uint64_t x86_apic_id(const X86Topology *t, unsigned index)
{
    unsigned thread = index % t->threads;
    unsigned core = index / t->threads % t->cores;
    uint64_t socket = index / t->threads / t->cores;

    return socket << x86_socket_shift(t) | core << x86_thread_bits(t) | thread;
}

#endif
