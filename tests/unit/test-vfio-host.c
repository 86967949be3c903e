/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hw/vfio reads from the host and must not trust or must explain: sysfs
 * (sysfs.c) and the capability chains of VFIO's answers (info.c).
 */
#include "qemu/osdep.h"

#include <glib/gstdio.h>

#include "hw/vfio/group.h"

/* --- a sysfs of our own --- */

typedef struct Fixture {
    char *dir;
    char *dev;                            /* directory of 0000:01:00.0 */
} Fixture;

static void make_dir(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0700), ==, 0);
}

static void make_link(const char *dir, const char *name, const char *target)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);

    g_assert_cmpint(symlink(target, path), ==, 0);
}

static void set_up(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("vfio-XXXXXX", NULL);
    make_dir(f->dir, "0000:01:00.0");
    make_dir(f->dir, "0000:01:00.1");
    make_dir(f->dir, "groups/7/devices");
    f->dev = g_build_filename(f->dir, "0000:01:00.0", NULL);
}

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = NULL;
    const char *name;

    if (!g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        dir = g_dir_open(path, 0, NULL);
    }
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(Fixture *f, gconstpointer data)
{
    remove_tree(f->dir);
    g_free(f->dev);
    g_free(f->dir);
}

static void put_in_group(Fixture *f)
{
    g_autofree char *devices = g_build_filename(f->dir, "groups/7/devices",
                                                NULL);

    make_link(f->dev, "iommu_group", "../groups/7");
    make_link(devices, "0000:01:00.0", "../../../0000:01:00.0");
    make_link(devices, "0000:01:00.1", "../../../0000:01:00.1");
}

static void assert_refused(Fixture *f, const char *because)
{
    Error *err = NULL;

    g_assert_cmpint(vfio_sysfs_group(f->dev, &err), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(err), because));
    g_assert_nonnull(strstr(error_get_pretty(err), "0000:01:00.0"));
    error_free(err);
}

static void test_group(Fixture *f, gconstpointer data)
{
    put_in_group(f);
    make_link(f->dev, "driver", "../drivers/vfio-pci");
    g_assert_cmpint(vfio_sysfs_group(f->dev, &error_abort), ==, 7);
}

static void test_no_device(Fixture *f, gconstpointer data)
{
    remove_tree(f->dev);
    assert_refused(f, "no such device");
    make_dir(f->dir, "0000:01:00.0");
}

static void test_no_group(Fixture *f, gconstpointer data)
{
    assert_refused(f, "intel_iommu=on");
}

static void test_other_driver(Fixture *f, gconstpointer data)
{
    put_in_group(f);
    make_link(f->dev, "driver", "../drivers/nvme");
    assert_refused(f, "echo 0000:01:00.0 > /sys/bus/pci/drivers/nvme/unbind");
}

static void test_no_driver(Fixture *f, gconstpointer data)
{
    put_in_group(f);
    assert_refused(f, "driver_override");
}

static void test_strange_group(Fixture *f, gconstpointer data)
{
    make_link(f->dev, "iommu_group", "../groups/seven");
    make_link(f->dev, "driver", "../drivers/vfio-pci");
    assert_refused(f, "seven");
}

static void test_obstacles(Fixture *f, gconstpointer data)
{
    g_autofree char *other = g_build_filename(f->dir, "0000:01:00.1", NULL);
    g_autofree char *none = NULL, *one = NULL;

    put_in_group(f);
    make_link(f->dev, "driver", "../drivers/vfio-pci");
    none = vfio_sysfs_group_obstacles(f->dev);
    g_assert_cmpstr(none, ==, "");
    make_link(other, "driver", "../drivers/snd_hda_intel");
    one = vfio_sysfs_group_obstacles(f->dev);
    g_assert_cmpstr(one, ==, "0000:01:00.1 (snd_hda_intel)");
}

/* --- capability chains --- */

typedef struct Answer {
    uint32_t fixed[4];
    struct vfio_info_cap_header a;        /* at 16 */
    uint32_t a_data[2];
    struct vfio_info_cap_header b;        /* at 32 */
    uint32_t b_data[2];
} Answer;

static void test_cap_found(void)
{
    const Answer answer = { .a = { 1, 1, 32 }, .b = { 3, 1, 0 } };
    uint32_t avail;

    g_assert_true(vfio_info_cap(&answer, sizeof(answer), 16, 3, 16, &avail) ==
                  &answer.b);
    g_assert_cmpuint(avail, ==, 16);
    g_assert_true(vfio_info_cap(&answer, sizeof(answer), 16, 1, 8, NULL) ==
                  &answer.a);
    g_assert_null(vfio_info_cap(&answer, sizeof(answer), 16, 2, 8, NULL));
    g_assert_null(vfio_info_cap(&answer, sizeof(answer), 0, 1, 8, NULL));
}

static void test_cap_nonsense(void)
{
    const Answer loop = { .a = { 1, 1, 32 }, .b = { 1, 1, 16 } };
    const Answer self = { .a = { 1, 1, 16 } };
    const Answer away = { .a = { 1, 1, UINT32_MAX } };
    const Answer odd = { .a = { 1, 1, 33 } };

    g_assert_null(vfio_info_cap(&loop, sizeof(loop), 16, 9, 8, NULL));
    g_assert_null(vfio_info_cap(&self, sizeof(self), 16, 9, 8, NULL));
    g_assert_null(vfio_info_cap(&away, sizeof(away), 16, 9, 8, NULL));
    g_assert_null(vfio_info_cap(&odd, sizeof(odd), 16, 0, 8, NULL));
    g_assert_null(vfio_info_cap(&loop, sizeof(loop), 44, 9, 8, NULL));
    g_assert_null(vfio_info_cap(&loop, sizeof(loop), UINT32_MAX, 9, 8, NULL));
    g_assert_null(vfio_info_cap(&loop, sizeof(loop), 32, 1, 17, NULL));
}

#define ADD(name, fn) \
    g_test_add("/vfio/sysfs/" name, Fixture, NULL, set_up, fn, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("finds the group", test_group);
    ADD("says that there is no device", test_no_device);
    ADD("says that there is no IOMMU", test_no_group);
    ADD("says how to take a device from its driver", test_other_driver);
    ADD("says how to bind a device", test_no_driver);
    ADD("refuses a group without a number", test_strange_group);
    ADD("lists who keeps a group from being used", test_obstacles);
    g_test_add_func("/vfio/info/finds a capability", test_cap_found);
    g_test_add_func("/vfio/info/survives nonsense", test_cap_nonsense);
    return g_test_run();
}
