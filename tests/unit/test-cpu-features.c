/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Features of -cpu, and the APIC IDs that follow from -smp. */
#include "qemu/osdep.h"

#include "target/i386/cpu-features.h"
#include "target/i386/topology.h"

static X86CpuFeatures parse(const char *text)
{
    X86CpuFeatures features;

    g_assert_true(x86_cpu_features_parse(&features, text, &error_abort));
    return features;
}

static void test_features_turn_bits_on_and_off(void)
{
    X86CpuFeatures f = parse("+avx2,-smep,invtsc=on,sse4.2=off,popcnt");

    g_assert_cmphex(f.on[X86_FEAT_7_0_EBX], ==, 1U << 5);
    g_assert_cmphex(f.off[X86_FEAT_7_0_EBX], ==, 1U << 7);
    g_assert_cmphex(f.on[X86_FEAT_8000_0007_EDX], ==, 1U << 8);
    g_assert_cmphex(f.off[X86_FEAT_1_ECX], ==, 1U << 20);
    g_assert_cmphex(f.on[X86_FEAT_1_ECX], ==, 1U << 23);
}

static void test_names_may_have_dashes_or_underscores(void)
{
    X86CpuFeatures f = parse("+sse4-1,+sse4_2,-lahf_lm,+avx512-vbmi2");

    g_assert_cmphex(f.on[X86_FEAT_1_ECX], ==, 3U << 19);
    g_assert_cmphex(f.off[X86_FEAT_8000_0001_ECX], ==, 1U << 0);
    g_assert_cmphex(f.on[X86_FEAT_7_0_ECX], ==, 1U << 6);
}

static void test_what_holds_anyway_changes_nothing(void)
{
    X86CpuFeatures f = parse("migratable=on,check,enforce=on");
    X86CpuFeatures none = parse(NULL);

    g_assert_cmpmem(&f, sizeof(f), &none, sizeof(none));
}

static void test_the_last_word_wins(void)
{
    X86CpuFeatures f = parse("+avx2,-avx2");

    g_assert_cmphex(f.on[X86_FEAT_7_0_EBX], ==, 0);
    g_assert_cmphex(f.off[X86_FEAT_7_0_EBX], ==, 1U << 5);
}

static void test_pmu_and_kvm_are_not_bits(void)
{
    g_assert_true(parse("pmu=off").no_pmu);
    g_assert_false(parse("pmu=on").no_pmu);
    g_assert_true(parse("-kvm").no_kvm);
    g_assert_false(parse(NULL).no_kvm);
}

static void check_refused(const char *text, const char *expected)
{
    X86CpuFeatures f;
    Error *err = NULL;

    g_assert_false(x86_cpu_features_parse(&f, text, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), expected));
    error_free(err);
}

static void test_bad_features_are_refused_by_name(void)
{
    check_refused("+nosuch", "no feature 'nosuch'");
    check_refused("avx2=maybe", "avx2=maybe: a feature is 'on' or 'off'");
    check_refused("+", "no feature ''");
    check_refused("=on", "no feature ''");
}

/* KVM has two bits for one clock. */
static void test_a_name_may_mean_two_bits(void)
{
    X86CpuFeatures f = parse("kvmclock=off,+kvm_pv_eoi");

    g_assert_cmphex(f.off[X86_FEAT_KVM], ==, 1U << 0 | 1U << 3);
    g_assert_cmphex(f.on[X86_FEAT_KVM], ==, 1U << 6);
}

static void test_every_bit_has_its_name(void)
{
    for (unsigned w = 0; w < X86_FEATURE_WORDS; w++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            const char *name = x86_cpu_feature_name(w, bit);

            if (name) {
                g_assert_true(parse(name).on[w] & 1U << bit);
            }
        }
    }
}

static void test_apic_ids_have_a_field_per_level(void)
{
    const X86Topology flat = { 1, 1 }, even = { 2, 4 }, odd = { 1, 3 };

    g_assert_cmpuint(x86_apic_id(&flat, 5), ==, 5);
    g_assert_cmpuint(x86_apic_id(&even, 11), ==, 11);
    /* Three cores need two bits: the second socket starts at 4. */
    g_assert_cmpuint(x86_apic_id(&odd, 2), ==, 2);
    g_assert_cmpuint(x86_apic_id(&odd, 3), ==, 4);
    g_assert_cmpuint(x86_socket_shift(&odd), ==, 2);
    g_assert_cmpuint(x86_thread_bits(&even), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpu/names-may-have-dashes-or-underscores",
                    test_names_may_have_dashes_or_underscores);
    g_test_add_func("/cpu/what-holds-anyway-changes-nothing",
                    test_what_holds_anyway_changes_nothing);
    g_test_add_func("/cpu/features-turn-bits-on-and-off",
                    test_features_turn_bits_on_and_off);
    g_test_add_func("/cpu/the-last-word-wins", test_the_last_word_wins);
    g_test_add_func("/cpu/pmu-and-kvm-are-not-bits",
                    test_pmu_and_kvm_are_not_bits);
    g_test_add_func("/cpu/bad-features-are-refused-by-name",
                    test_bad_features_are_refused_by_name);
    g_test_add_func("/cpu/a-name-may-mean-two-bits",
                    test_a_name_may_mean_two_bits);
    g_test_add_func("/cpu/every-bit-has-its-name",
                    test_every_bit_has_its_name);
    g_test_add_func("/cpu/apic-ids-have-a-field-per-level",
                    test_apic_ids_have_a_field_per_level);
    return g_test_run();
}
