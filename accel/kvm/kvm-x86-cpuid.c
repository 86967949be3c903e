/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What CPUID says to the guest: what KVM supports on this host, less what -cpu
 * takes away, with the leaves that tell the CPU's place in the topology
 * (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E) rewritten. Called
 * when a vCPU is created. Must never claim a feature that KVM does not report.
 */
#include "qemu/osdep.h"

#include "kvm-internal.h"
#include "sysemu/kvm-x86.h"

#define MAX_ENTRIES 256

#define LEAF_VENDOR 0x0
#define LEAF_FEATURES 0x1
#define LEAF_CACHES 0x4
#define LEAF_PMU 0xa
#define LEAF_TOPOLOGY 0xb
#define LEAF_TOPOLOGY_V2 0x1f
#define LEAF_AMD_FEATURES 0x80000001
#define LEAF_ADDRESS_BITS 0x80000008
#define LEAF_AMD_CACHES 0x8000001d
#define LEAF_AMD_TOPOLOGY 0x8000001e
#define LEAF_HYPERVISOR 0x40000000
#define LEAF_HYPERVISOR_LAST 0x400000ff

#define FEATURE_ECX_TSC_DEADLINE (1U << 24)
#define FEATURE_ECX_OSXSAVE (1U << 27)
#define FEATURE_ECX_HYPERVISOR (1U << 31)
#define FEATURE_EDX_HTT (1U << 28)
#define AMD_ECX_CMP_LEGACY (1U << 1)
#define LEVEL_SMT (1U << 8)
#define LEVEL_CORE (2U << 8)
#define CACHE_LEVEL(eax) (((eax) >> 5) & 7)

#define VENDOR_AMD_EBX 0x68747541         /* "Auth" of AuthenticAMD */

typedef struct kvm_cpuid2 CpuidTable;
typedef struct kvm_cpuid_entry2 CpuidEntry;

static CpuidTable *new_table(void)
{
    CpuidTable *table = g_malloc0(sizeof(*table) +
                                  MAX_ENTRIES * sizeof(CpuidEntry));

    table->nent = MAX_ENTRIES;
    return table;
}

static CpuidTable *supported_table(KVMState *s, Error **errp)
{
    g_autofree CpuidTable *table = new_table();
    int ret = kvm_ioctl(s, KVM_GET_SUPPORTED_CPUID, table);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "-accel kvm: KVM does not tell what the"
                         " CPU can do");
        return NULL;
    }
    return g_steal_pointer(&table);
}

static CpuidEntry *find_entry(CpuidTable *table, uint32_t function,
                              uint32_t index)
{
    for (unsigned i = 0; i < table->nent; i++) {
        CpuidEntry *e = &table->entries[i];

        if (e->function == function && e->index == index) {
            return e;
        }
    }
    return NULL;
}

static uint32_t *entry_reg(CpuidEntry *e, unsigned reg)
{
    uint32_t *const regs[] = { &e->eax, &e->ebx, &e->ecx, &e->edx };

    return regs[reg];
}

static void remove_leaves(CpuidTable *table, uint32_t first, uint32_t last)
{
    unsigned n = 0;

    for (unsigned i = 0; i < table->nent; i++) {
        uint32_t function = table->entries[i].function;

        if (function < first || function > last) {
            table->entries[n++] = table->entries[i];
        }
    }
    table->nent = n;
}

/* --- features --- */

/* KVM reports these two separately from its table, or not at all. */
static void add_emulated(KVMState *s, CpuidTable *table)
{
    CpuidEntry *e = find_entry(table, LEAF_FEATURES, 0);

    if (!e) {
        return;
    }
    e->ecx |= FEATURE_ECX_HYPERVISOR;
    e->ecx &= ~FEATURE_ECX_OSXSAVE;       /* KVM follows CR4 */
    if (kvm_check_extension(s, KVM_CAP_TSC_DEADLINE_TIMER)) {
        e->ecx |= FEATURE_ECX_TSC_DEADLINE;
    }
}

static bool apply_features(CpuidTable *table, const X86CpuFeatures *features,
                           Error **errp)
{
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        const X86FeatureLeaf *leaf = &x86_feature_leaves[w];
        CpuidEntry *e = find_entry(table, leaf->function, leaf->index);
        uint32_t *reg = e ? entry_reg(e, leaf->reg) : NULL;
        uint32_t missing = features->on[w] & ~(reg ? *reg : 0);

        if (missing) {
            error_setg(errp, "-cpu: KVM on this host does not support '%s'",
                       x86_cpu_feature_name(w, __builtin_ctz(missing)));
            return false;
        }
        if (reg) {
            *reg &= ~features->off[w];
        }
    }
    if (features->no_pmu) {
        remove_leaves(table, LEAF_PMU, LEAF_PMU);
    }
    if (features->no_kvm) {
        remove_leaves(table, LEAF_HYPERVISOR, LEAF_HYPERVISOR_LAST);
    }
    return true;
}

/* --- topology --- */

/* The first two levels of caches belong to a core, others to a socket. */
static void set_cache_sharing(CpuidEntry *e, const X86Topology *t,
                              bool intel)
{
    unsigned bits = CACHE_LEVEL(e->eax) <= 2 ? x86_thread_bits(t)
                                             : x86_socket_shift(t);
    uint32_t sharing = (1U << bits) - 1;
    uint32_t cores = (1U << (x86_socket_shift(t) - x86_thread_bits(t))) - 1;

    if (!(e->eax & 0x1f)) {               /* no more caches */
        return;
    }
    e->eax = (e->eax & 0x3fff) | sharing << 14;
    if (intel) {
        e->eax |= MIN(cores, 0x3f) << 26;
    }
}

static void set_basic_topology(CpuidEntry *e, const X86CPU *cpu)
{
    unsigned per_socket = cpu->topology.threads * cpu->topology.cores;

    e->ebx = (e->ebx & 0xffff) | cpu->apic_id << 24;
    e->edx &= ~FEATURE_EDX_HTT;
    if (per_socket > 1) {
        e->ebx |= MIN(1U << x86_socket_shift(&cpu->topology), 255) << 16;
        e->edx |= FEATURE_EDX_HTT;
    }
}

static void set_amd_topology(CpuidEntry *e, const X86CPU *cpu)
{
    const X86Topology *t = &cpu->topology;
    unsigned per_socket = t->threads * t->cores;

    switch (e->function) {
    case LEAF_AMD_FEATURES:
        e->ecx &= ~AMD_ECX_CMP_LEGACY;
        e->ecx |= per_socket > 1 ? AMD_ECX_CMP_LEGACY : 0;
        break;
    case LEAF_ADDRESS_BITS:
        e->ecx = (e->ecx & ~0xf0ffU) | x86_socket_shift(t) << 12 |
                 MIN(per_socket - 1, 255);
        break;
    case LEAF_AMD_CACHES:
        set_cache_sharing(e, t, false);
        break;
    case LEAF_AMD_TOPOLOGY:
        e->eax = cpu->apic_id;
        e->ebx = (t->threads - 1) << 8 |
                 ((cpu->apic_id >> x86_thread_bits(t)) & 0xff);
        e->ecx = (cpu->apic_id >> x86_socket_shift(t)) & 0xff;
        e->edx = 0;
        break;
    default:
        break;
    }
}

/* Replaces an extended topology leaf: threads, cores, the end. */
static void set_levels(CpuidTable *table, uint32_t leaf, const X86CPU *cpu)
{
    const X86Topology *t = &cpu->topology;
    const CpuidEntry levels[] = {
        { .eax = x86_thread_bits(t), .ebx = t->threads, .ecx = LEVEL_SMT },
        { .eax = x86_socket_shift(t), .ebx = t->threads * t->cores,
          .ecx = LEVEL_CORE },
        {},
    };

    remove_leaves(table, leaf, leaf);
    for (unsigned i = 0; i < ARRAY_SIZE(levels); i++) {
        CpuidEntry *e = &table->entries[table->nent++];

        *e = levels[i];
        e->function = leaf;
        e->index = i;
        e->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
        e->ecx |= i;
        e->edx = cpu->apic_id;
    }
}

static void set_topology(CpuidTable *table, const X86CPU *cpu)
{
    CpuidEntry *first = find_entry(table, LEAF_VENDOR, 0);
    uint32_t max_leaf = first ? first->eax : 0;
    bool amd = first && first->ebx == VENDOR_AMD_EBX;

    for (unsigned i = 0; i < table->nent; i++) {
        CpuidEntry *e = &table->entries[i];

        if (e->function == LEAF_FEATURES) {
            set_basic_topology(e, cpu);
        } else if (e->function == LEAF_CACHES) {
            set_cache_sharing(e, &cpu->topology, true);
        } else if (amd) {
            set_amd_topology(e, cpu);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        uint32_t leaf = i ? LEAF_TOPOLOGY_V2 : LEAF_TOPOLOGY;

        if (max_leaf >= leaf) {
            set_levels(table, leaf, cpu);
        }
    }
}

/* --- for the rest of accel/kvm --- */

bool kvm_x86_set_cpuid(KVMState *s, X86CPU *cpu, Error **errp)
{
    g_autofree CpuidTable *table = supported_table(s, errp);
    int ret;

    if (!table) {
        return false;
    }
    if (table->nent > MAX_ENTRIES - 6) {  /* what set_levels() may add */
        error_setg(errp, "-accel kvm: KVM reports %u CPUID leaves, at most %d"
                   " are supported", table->nent, MAX_ENTRIES - 6);
        return false;
    }
    add_emulated(s, table);
    if (!apply_features(table, cpu->features, errp)) {
        return false;
    }
    set_topology(table, cpu);
    ret = kvm_vcpu_ioctl(cpu->kvm, KVM_SET_CPUID2, table);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "-accel kvm: KVM refuses the CPU's"
                         " features");
        return false;
    }
    return true;
}

unsigned kvm_x86_phys_bits(KVMState *s)
{
    g_autofree CpuidTable *table = supported_table(s, NULL);
    CpuidEntry *e = table ? find_entry(table, LEAF_ADDRESS_BITS, 0) : NULL;

    /* Without the leaf a CPU has 36 (Intel SDM volume 3, 4.1.4). */
    return e ? e->eax & 0xff : 36;
}

const X86HostCpu *kvm_x86_host_cpu(KVMState *s)
{
    return &s->host_cpu;
}

int kvm_x86_read_host_cpu(KVMState *s, Error **errp)
{
    g_autofree CpuidTable *table = supported_table(s, errp);
    X86HostCpu *cpu = &s->host_cpu;
    CpuidEntry *e;

    if (!table) {
        return -EINVAL;
    }
    add_emulated(s, table);
    if ((e = find_entry(table, LEAF_VENDOR, 0))) {
        const uint32_t vendor[] = { e->ebx, e->edx, e->ecx };

        memcpy(cpu->vendor, vendor, sizeof(vendor));
    }
    if ((e = find_entry(table, LEAF_FEATURES, 0))) {
        cpu->signature = e->eax;
    }
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        const X86FeatureLeaf *leaf = &x86_feature_leaves[w];

        e = find_entry(table, leaf->function, leaf->index);
        cpu->words[w] = e ? *entry_reg(e, leaf->reg) : 0;
    }
    return 0;
}
