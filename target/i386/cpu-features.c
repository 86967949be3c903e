/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU feature names (target/i386/cpu-features.h): the bits are Intel's (SDM volume
 * 2, CPUID), AMD's (APM volume 3, appendix E) and KVM's, the names those of Linux's
 * /proc/cpuinfo, and QEMU's for KVM's. Used for -cpu by the machine. Must know
 * nothing of the host.
 */
#include "qemu/osdep.h"
#include <asm/kvm_para.h>

#include "target/i386/cpu-features.h"

enum { EAX, EBX, ECX, EDX };

const X86FeatureLeaf x86_feature_leaves[X86_FEATURE_WORDS] = {
    [X86_FEAT_1_ECX] = { 1, 0, ECX },
    [X86_FEAT_1_EDX] = { 1, 0, EDX },
    [X86_FEAT_7_0_EBX] = { 7, 0, EBX },
    [X86_FEAT_7_0_ECX] = { 7, 0, ECX },
    [X86_FEAT_7_0_EDX] = { 7, 0, EDX },
    [X86_FEAT_XSAVE] = { 0xd, 1, EAX },
    [X86_FEAT_8000_0001_ECX] = { 0x80000001, 0, ECX },
    [X86_FEAT_8000_0001_EDX] = { 0x80000001, 0, EDX },
    [X86_FEAT_8000_0007_EDX] = { 0x80000007, 0, EDX },
    [X86_FEAT_8000_0008_EBX] = { 0x80000008, 0, EBX },
    [X86_FEAT_KVM] = { KVM_CPUID_FEATURES, 0, EAX },
};

typedef struct FeatureBit {
    uint8_t bit;
    const char *name;
} FeatureBit;

#define MAX_BITS 33                       /* with an end mark */

static const FeatureBit feature_bits[X86_FEATURE_WORDS][MAX_BITS] = {
    [X86_FEAT_1_ECX] = {
        { 0, "pni" }, { 1, "pclmulqdq" }, { 3, "monitor" }, { 5, "vmx" },
        { 9, "ssse3" }, { 12, "fma" }, { 13, "cx16" }, { 17, "pcid" },
        { 19, "sse4.1" }, { 20, "sse4.2" }, { 21, "x2apic" }, { 22, "movbe" },
        { 23, "popcnt" }, { 24, "tsc-deadline" }, { 25, "aes" },
        { 26, "xsave" }, { 28, "avx" }, { 29, "f16c" }, { 30, "rdrand" },
        { 31, "hypervisor" },
    },
    [X86_FEAT_1_EDX] = {
        { 0, "fpu" }, { 1, "vme" }, { 2, "de" }, { 3, "pse" }, { 4, "tsc" },
        { 5, "msr" }, { 6, "pae" }, { 7, "mce" }, { 8, "cx8" }, { 9, "apic" },
        { 11, "sep" }, { 12, "mtrr" }, { 13, "pge" }, { 14, "mca" },
        { 15, "cmov" }, { 16, "pat" }, { 17, "pse36" }, { 19, "clflush" },
        { 23, "mmx" }, { 24, "fxsr" }, { 25, "sse" }, { 26, "sse2" },
        { 27, "ss" }, { 28, "ht" },
    },
    [X86_FEAT_7_0_EBX] = {
        { 0, "fsgsbase" }, { 1, "tsc-adjust" }, { 3, "bmi1" }, { 4, "hle" },
        { 5, "avx2" }, { 7, "smep" }, { 8, "bmi2" }, { 9, "erms" },
        { 10, "invpcid" }, { 11, "rtm" }, { 14, "mpx" }, { 16, "avx512f" },
        { 17, "avx512dq" }, { 18, "rdseed" }, { 19, "adx" }, { 20, "smap" },
        { 21, "avx512ifma" }, { 23, "clflushopt" }, { 24, "clwb" },
        { 28, "avx512cd" }, { 29, "sha-ni" }, { 30, "avx512bw" },
        { 31, "avx512vl" },
    },
    [X86_FEAT_7_0_ECX] = {
        { 1, "avx512vbmi" }, { 2, "umip" }, { 3, "pku" }, { 5, "waitpkg" },
        { 6, "avx512_vbmi2" }, { 8, "gfni" }, { 9, "vaes" },
        { 10, "vpclmulqdq" }, { 11, "avx512_vnni" }, { 12, "avx512_bitalg" },
        { 14, "avx512_vpopcntdq" }, { 16, "la57" }, { 22, "rdpid" },
        { 24, "bus-lock-detect" }, { 25, "cldemote" }, { 27, "movdiri" },
        { 28, "movdir64b" },
    },
    [X86_FEAT_7_0_EDX] = {
        { 4, "fsrm" }, { 8, "avx512_vp2intersect" }, { 10, "md-clear" },
        { 14, "serialize" }, { 16, "tsxldtrk" }, { 22, "amx-bf16" },
        { 23, "avx512_fp16" }, { 24, "amx-tile" }, { 25, "amx-int8" },
        { 26, "spec-ctrl" }, { 27, "stibp" }, { 29, "arch-capabilities" },
        { 30, "core-capability" }, { 31, "ssbd" },
    },
    [X86_FEAT_XSAVE] = {
        { 0, "xsaveopt" }, { 1, "xsavec" }, { 2, "xgetbv1" }, { 3, "xsaves" },
        { 4, "xfd" },
    },
    [X86_FEAT_8000_0001_ECX] = {
        { 0, "lahf-lm" }, { 2, "svm" }, { 4, "cr8legacy" }, { 5, "abm" },
        { 6, "sse4a" }, { 7, "misalignsse" }, { 8, "3dnowprefetch" },
        { 9, "osvw" }, { 11, "xop" }, { 16, "fma4" }, { 21, "tbm" },
        { 22, "topoext" }, { 23, "perfctr-core" },
    },
    [X86_FEAT_8000_0001_EDX] = {
        { 11, "syscall" }, { 20, "nx" }, { 22, "mmxext" }, { 25, "fxsr-opt" },
        { 26, "pdpe1gb" }, { 27, "rdtscp" }, { 29, "lm" },
    },
    [X86_FEAT_8000_0007_EDX] = {
        { 8, "invtsc" },
    },
    [X86_FEAT_8000_0008_EBX] = {
        { 0, "clzero" }, { 2, "xsaveerptr" }, { 9, "wbnoinvd" },
        { 12, "ibpb" }, { 14, "ibrs" }, { 15, "amd-stibp" },
        { 24, "amd-ssbd" }, { 25, "virt-ssbd" },
    },
    [X86_FEAT_KVM] = {
        { KVM_FEATURE_CLOCKSOURCE, "kvmclock" },
        { KVM_FEATURE_CLOCKSOURCE2, "kvmclock" },
        { KVM_FEATURE_NOP_IO_DELAY, "kvm-nopiodelay" },
        { KVM_FEATURE_MMU_OP, "kvm-mmu" },
        { KVM_FEATURE_ASYNC_PF, "kvm-asyncpf" },
        { KVM_FEATURE_STEAL_TIME, "kvm-steal-time" },
        { KVM_FEATURE_PV_EOI, "kvm-pv-eoi" },
        { KVM_FEATURE_PV_UNHALT, "kvm-pv-unhalt" },
        { KVM_FEATURE_PV_TLB_FLUSH, "kvm-pv-tlb-flush" },
        { KVM_FEATURE_ASYNC_PF_VMEXIT, "kvm-asyncpf-vmexit" },
        { KVM_FEATURE_PV_SEND_IPI, "kvm-pv-ipi" },
        { KVM_FEATURE_POLL_CONTROL, "kvm-poll-control" },
        { KVM_FEATURE_PV_SCHED_YIELD, "kvm-pv-sched-yield" },
        { KVM_FEATURE_ASYNC_PF_INT, "kvm-asyncpf-int" },
        { KVM_FEATURE_MSI_EXT_DEST_ID, "kvm-msi-ext-dest-id" },
        { KVM_FEATURE_CLOCKSOURCE_STABLE_BIT, "kvmclock-stable-bit" },
    },
};

const char *x86_cpu_feature_name(X86FeatureWord word, unsigned bit)
{
    for (const FeatureBit *f = feature_bits[word]; f->name; f++) {
        if (f->bit == bit) {
            return f->name;
        }
    }
    return NULL;
}

/* Names are written with - or _ or a dot: sse4.1, sse4-1, sse4_1. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++) {
        if (*a != *b && !(strchr("-_.", *a) && strchr("-_.", *b))) {
            return false;
        }
    }
    return *a == *b;
}

/* The bits that @name means, all in *@word; 0: there is no such name. */
static uint32_t find_feature(const char *name, X86FeatureWord *word)
{
    uint32_t bits = 0;

    for (*word = 0; *word < X86_FEATURE_WORDS; ++*word) {
        for (const FeatureBit *f = feature_bits[*word]; f->name; f++) {
            bits |= same_name(f->name, name) ? 1U << f->bit : 0;
        }
        if (bits) {
            break;
        }
    }
    return bits;
}

static bool set_feature(X86CpuFeatures *features, const char *name, bool on,
                        Error **errp)
{
    X86FeatureWord word;
    uint32_t bits;

    if (!strcmp(name, "pmu")) {
        features->no_pmu = !on;
        return true;
    }
    if (!strcmp(name, "kvm")) {
        features->no_kvm = !on;
        return true;
    }
    /* A host's CPU cannot be migrated, and what it lacks is refused always. */
    if (!strcmp(name, "migratable") || !strcmp(name, "check") ||
        !strcmp(name, "enforce")) {
        return true;
    }
    bits = find_feature(name, &word);
    if (!bits) {
        error_setg(errp, "no feature '%s'; -cpu help lists them", name);
        return false;
    }
    features->on[word] &= ~bits;
    features->off[word] &= ~bits;
    (on ? features->on : features->off)[word] |= bits;
    return true;
}

/* "+a", "-a", "a", "a=on" (or yes), "a=off" (or no). Modifies @item. */
static bool parse_item(X86CpuFeatures *features, char *item, Error **errp)
{
    char *value = strchr(item, '=');

    if (*item == '+' || *item == '-') {
        return set_feature(features, item + 1, *item == '+', errp);
    }
    if (!value) {
        return set_feature(features, item, true, errp);
    }
    *value++ = '\0';
    if (!strcmp(value, "on") || !strcmp(value, "yes")) {
        return set_feature(features, item, true, errp);
    }
    if (!strcmp(value, "off") || !strcmp(value, "no")) {
        return set_feature(features, item, false, errp);
    }
    error_setg(errp, "%s=%s: a feature is 'on' or 'off'", item, value);
    return false;
}

bool x86_cpu_features_parse(X86CpuFeatures *features, const char *text,
                            Error **errp)
{
    g_auto(GStrv) items = g_strsplit(text ?: "", ",", -1);

    memset(features, 0, sizeof(*features));
    for (char **item = items; *item; item++) {
        if (**item && !parse_item(features, *item, errp)) {
            return false;
        }
    }
    return true;
}

void x86_cpu_features_list(void)
{
    printf("  kvm pmu\n");
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (const FeatureBit *f = feature_bits[w]; f->name; f++) {
            printf("%s%s", f == feature_bits[w] ? "  " : " ", f->name);
        }
        printf("\n");
    }
}
