/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of CPU features, as -cpu has them ("host,-avx512f,pmu=off"), and the
 * CPUID bits behind them. Pure; what the host can do is the accelerator's
 * matter.
 */
#ifndef TARGET_I386_CPU_FEATURES_H
#define TARGET_I386_CPU_FEATURES_H

#include "qapi/error.h"

/* The CPUID registers that hold features. */
typedef enum X86FeatureWord {
    X86_FEAT_1_ECX,
    X86_FEAT_1_EDX,
    X86_FEAT_7_0_EBX,
    X86_FEAT_7_0_ECX,
    X86_FEAT_7_0_EDX,
    X86_FEAT_XSAVE,                       /* leaf 0xd, subleaf 1, EAX */
    X86_FEAT_8000_0001_ECX,
    X86_FEAT_8000_0001_EDX,
    X86_FEAT_8000_0007_EDX,
    X86_FEAT_8000_0008_EBX,
    X86_FEAT_KVM,                         /* leaf 0x40000001, EAX */
    X86_FEATURE_WORDS
} X86FeatureWord;

/* Where a word is. */
typedef struct X86FeatureLeaf {
    uint32_t function;
    uint32_t index;
    unsigned reg;                         /* 0 EAX, 1 EBX, 2 ECX, 3 EDX */
} X86FeatureLeaf;
extern const X86FeatureLeaf x86_feature_leaves[X86_FEATURE_WORDS];

/* What -cpu asks for, beyond what the host offers anyway. */
typedef struct X86CpuFeatures {
    uint32_t on[X86_FEATURE_WORDS];
    uint32_t off[X86_FEATURE_WORDS];
    bool no_pmu;                          /* pmu=off: no leaf 0xa */
    bool no_kvm;                          /* kvm=off: no KVM leaves */
} X86CpuFeatures;

/* @text: "+a,-b,c=on,d=off,e"; NULL: nothing. Later ones win. */
bool x86_cpu_features_parse(X86CpuFeatures *features, const char *text,
                            Error **errp);
/* The name of a bit, or NULL. */
const char *x86_cpu_feature_name(X86FeatureWord word, unsigned bit);
/* All names, a line per word, to stdout: for -cpu help. */
void x86_cpu_features_list(void);

#endif
