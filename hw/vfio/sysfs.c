/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host devices as sysfs shows them: which group, which driver, and, when a
 * device cannot be given to a guest, what to do about it. It only reads; all
 * paths start from the device's own directory.
 */
#include "qemu/osdep.h"

#include "group.h"

/* The last part of where the link @name in @dir leads; NULL: there is none. */
static char *sysfs_link_name(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *target = g_file_read_link(path, NULL);

    return target ? g_path_get_basename(target) : NULL;
}

/* A driver that hands its device to VFIO, or at least keeps its hands off. */
static bool driver_is_vfio(const char *driver)
{
    return driver && strstr(driver, "vfio");
}

static void set_driver_error(const char *name, const char *driver, Error **errp)
{
    g_autofree char *bound =
        driver ? g_strdup_printf("bound to the driver %s", driver)
               : g_strdup("not bound to a driver");
    g_autofree char *unbind =
        driver ? g_strdup_printf("; echo %s > /sys/bus/pci/drivers/%s/unbind",
                                 name, driver)
               : g_strdup("");

    error_setg(errp, "vfio %s: it is %s, not to vfio-pci; as root: "
               "modprobe vfio-pci; echo vfio-pci > "
               "/sys/bus/pci/devices/%s/driver_override%s; "
               "echo %s > /sys/bus/pci/drivers_probe", name, bound, name,
               unbind, name);
}

int vfio_sysfs_group(const char *sysfsdev, Error **errp)
{
    g_autofree char *name = g_path_get_basename(sysfsdev);
    g_autofree char *driver = NULL, *group = NULL;
    uint64_t id;
    char *end;

    if (!g_file_test(sysfsdev, G_FILE_TEST_IS_DIR)) {
        error_setg(errp, "vfio %s: there is no such device: %s", name,
                   sysfsdev);
        return -1;
    }
    group = sysfs_link_name(sysfsdev, "iommu_group");
    if (!group) {
        error_setg(errp, "vfio %s: it is in no IOMMU group: turn the IOMMU on "
                   "in the host's firmware and on its kernel's command line "
                   "(intel_iommu=on)", name);
        return -1;
    }
    driver = sysfs_link_name(sysfsdev, "driver");
    if (!driver_is_vfio(driver)) {
        set_driver_error(name, driver, errp);
        return -1;
    }
    id = g_ascii_strtoull(group, &end, 10);
    if (end == group || *end || id > INT_MAX) {
        error_setg(errp, "vfio %s: its IOMMU group has no number but '%s'",
                   name, group);
        return -1;
    }
    return (int)id;
}

/* The kernel lets these stay while others of the group are given away. */
static bool driver_is_harmless(const char *driver)
{
    return !driver || driver_is_vfio(driver) || g_str_equal(driver, "pci-stub")
           || g_str_equal(driver, "pcieport");
}

char *vfio_sysfs_group_obstacles(const char *sysfsdev)
{
    g_autofree char *dir = g_build_filename(sysfsdev, "iommu_group", "devices",
                                            NULL);
    g_autoptr(GString) list = g_string_new(NULL);
    g_autoptr(GDir) devices = g_dir_open(dir, 0, NULL);
    const char *name;

    while (devices && (name = g_dir_read_name(devices))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_autofree char *driver = sysfs_link_name(path, "driver");

        if (!driver_is_harmless(driver)) {
            g_string_append_printf(list, "%s%s (%s)", list->len ? ", " : "",
                                   name, driver);
        }
    }
    return g_strdup(list->str);
}
