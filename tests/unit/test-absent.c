/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU has and sparsevm does not (qemu/absent.h), by name. */
#include "qemu/osdep.h"

#include "qemu/absent.h"

static void assert_says(AbsentKind kind, const char *name, const char *part)
{
    const char *reason = absent_reason(kind, name);

    g_assert_nonnull(reason);
    g_assert_nonnull(strstr(reason, part));
    g_assert_nonnull(strstr(reason, "What sparsevm is not"));
}

static void test_names_of_qemu(void)
{
    assert_says(ABSENT_DEVICE, "qemu-xhci", "no USB");
    assert_says(ABSENT_DEVICE, "virtio-scsi-pci-non-transitional", "no SCSI");
    assert_says(ABSENT_DEVICE, "virtio-mem-pci-transitional", "no legacy");
    assert_says(ABSENT_DEVICE, "i82801", "no network devices but");
    assert_says(ABSENT_DEVICE, "i82801b11-bridge", "no bridges");
    assert_says(ABSENT_OBJECT, "tls-creds-x509", "no TLS");
    assert_says(ABSENT_OPTION, "s", "no debugger stub");
}

static void test_other_names(void)
{
    g_assert_null(absent_reason(ABSENT_DEVICE, "warp-drive"));
    g_assert_null(absent_reason(ABSENT_DEVICE, ""));
    g_assert_null(absent_reason(ABSENT_OBJECT, "VGA"));
    g_assert_null(absent_reason(ABSENT_OPTION, "seed"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/absent/names-of-qemu", test_names_of_qemu);
    g_test_add_func("/absent/other-names", test_other_names);
    return g_test_run();
}
