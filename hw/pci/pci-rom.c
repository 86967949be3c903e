/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expansion ROM of a function: rombar=, romfile=, and what a device that is
 * passed through has by itself (PCI Firmware 3.0, 5). It is memory that only firmware
 * and drivers that look for it ever see, by enabling it in its base address
 * register: so its contents are read when that is done first, from a file that has
 * been open since the device was made. Most guests never do, and then it costs
 * nothing. Must never be writable, nor end the machine if it cannot be read.
 */
#include "qemu/osdep.h"

#include <sys/stat.h>

#include "hw/pci/pci.h"
#include "pci-internal.h"
#include "qemu/datadir.h"
#include "qemu/error-report.h"
#include "qemu/fdset.h"
#include "qemu/units.h"

/* Memory comes in pages; the register could express half of that. */
#define ROM_SIZE_MIN (4 * KiB)

/* --- its identity --- */

/* The image's header and the data structure that it points to. */
#define ROM_SIGNATURE 0xaa55
#define ROM_DATA_POINTER 0x18             /* word */
#define DATA_SIGNATURE "PCIR"
#define DATA_VENDOR 4
#define DATA_DEVICE 6
#define DATA_CODE_TYPE 0x14
#define CODE_TYPE_PC 0
#define DATA_SIZE 0x18
/* Of a PC's: a byte that nobody looks at, and that keeps the sum of all at 0. */
#define ROM_SPARE 6

/* The same ROM may be for many functions, or know one by the host's identity: firmware
 * runs only what names the function that it belongs to. What a user names is left as
 * it is. */

/* The PCIR structure of the first image in the @size bytes @rom; NULL: none. */
static uint8_t *find_data(uint8_t *rom, uint64_t size)
{
    uint64_t at;

    if (size < ROM_DATA_POINTER + 2 || pci_get_word(rom) != ROM_SIGNATURE) {
        return NULL;
    }
    at = pci_get_word(rom + ROM_DATA_POINTER);
    if (at + DATA_SIZE > size ||
        memcmp(rom + at, DATA_SIGNATURE, strlen(DATA_SIGNATURE))) {
        return NULL;
    }
    return rom + at;
}

/* Writes @value at @at; what that changes in the sum of bytes. */
static uint8_t patch_word(uint8_t *at, uint16_t value)
{
    uint8_t change = (value & 0xff) + (value >> 8) - at[0] - at[1];

    pci_set_word(at, value);
    return change;
}

static void patch_ids(PCIDevice *dev, uint8_t *rom, uint64_t size)
{
    uint8_t *data = find_data(rom, size);
    uint8_t change;

    if (!data) {
        return;
    }
    change = patch_word(data + DATA_VENDOR,
                        pci_get_word(dev->config + PCI_VENDOR_ID)) +
             patch_word(data + DATA_DEVICE,
                        pci_get_word(dev->config + PCI_DEVICE_ID));
    if (data[DATA_CODE_TYPE] == CODE_TYPE_PC) {
        rom[ROM_SPARE] -= change;
    }
}

/* --- romfile= --- */

static bool check_file(const char *name, const struct stat *st, Error **errp)
{
    if (!S_ISREG(st->st_mode)) {
        error_setg(errp, "romfile=%s: is not a regular file", name);
        return false;
    }
    if (!st->st_size || st->st_size > (off_t)PCI_ROM_MAX) {
        error_setg(errp, "romfile=%s: has %" PRId64 " bytes; 1 to %" PRIu64
                   " are expected", name, (int64_t)st->st_size,
                   (uint64_t)PCI_ROM_MAX);
        return false;
    }
    return true;
}

/* A descriptor of the file @name, and *size; -1: *errp. */
static int open_file(const char *name, uint64_t *size, Error **errp)
{
    ERRP_GUARD();
    g_autofree char *path = fdset_is_path(name) ? g_strdup(name)
                                                : qemu_find_file(name);
    struct stat st;
    int fd;

    if (!path) {
        error_setg(errp, "romfile=%s: no such file, and none where -L help says",
                   name);
        return -1;
    }
    fd = fdset_open_read(path, errp);
    if (fd < 0) {
        error_prepend(errp, "romfile=");
        return -1;
    }
    if (fstat(fd, &st) < 0) {
        error_setg_errno(errp, errno, "romfile=%s: cannot be examined", name);
    } else if (check_file(name, &st, errp)) {
        *size = st.st_size;
        return fd;
    }
    close(fd);
    return -1;
}

/* The guest's CPU may be what is here: so by calls that it may make in any sandbox. */
static bool read_file(PCIDevice *dev, void *buf, uint64_t size)
{
    uint64_t done = 0;

    while (done < size) {
        ssize_t n = read(dev->rom_fd, (char *)buf + done, size - done);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            warn_report("%s: its option ROM cannot be read: %s", dev->name,
                        n ? g_strerror(errno) : "the file is shorter now");
            return false;
        }
        done += n;
    }
    return true;
}

/* What the type has by default may be missing; it is for who boots by it. */
static int open_default(PCIDevice *dev, uint64_t *size)
{
    const char *name = PCI_DEVICE_GET_CLASS(dev)->romfile;

    return name ? open_file(name, size, NULL) : -1;
}

bool pci_rom_open_file(PCIDevice *dev, Error **errp)
{
    uint64_t size = 0;

    if (!dev->rombar && dev->romfile && *dev->romfile) {
        error_setg(errp, "romfile=%s: has no use with rombar=0", dev->romfile);
        return false;
    }
    if (!dev->rombar || (dev->romfile && !*dev->romfile)) {
        return true;
    }
    if (!dev->romfile) {
        dev->rom_fd = open_default(dev, &size);
        return dev->rom_fd < 0 || pci_set_rom(dev, size, read_file, errp);
    }
    dev->rom_fd = open_file(dev->romfile, &size, errp);
    if (dev->rom_fd < 0 || !pci_set_rom(dev, size, read_file, errp)) {
        return false;
    }
    /* Others may have read it to some place, and may go on: so now, all of it. */
    if (fdset_is_path(dev->romfile)) {
        lseek(dev->rom_fd, 0, SEEK_SET);
        pci_rom_enable(dev);
    }
    return true;
}

/* --- the region --- */

bool pci_wants_rom(const PCIDevice *dev)
{
    return dev->rombar && !dev->romfile && !dev->rom_read;
}

bool pci_set_rom(PCIDevice *dev, uint64_t size, PCIROMReadFunc *read,
                 Error **errp)
{
    g_assert(size && size <= PCI_ROM_MAX && !dev->rom_read);
    if (!memory_region_init_ram(&dev->rom, OBJECT(dev), "rom",
                                MAX(pow2ceil(size), ROM_SIZE_MIN), errp)) {
        return false;
    }
    memory_region_set_readonly(&dev->rom, true);
    dev->rom_size = size;
    dev->rom_read = read;
    return true;
}

int pci_rom_register_offset(const PCIDevice *dev)
{
    return (dev->config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_TYPE_BRIDGE
           ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
}

void pci_rom_register(PCIDevice *dev)
{
    if (dev->rom_read) {
        pci_register_bar(dev, PCI_ROM_SLOT, 0, &dev->rom);
    }
}

static void close_file(PCIDevice *dev)
{
    if (dev->rom_fd >= 0) {
        close(dev->rom_fd);
        dev->rom_fd = -1;
    }
}

/* What is behind the contents, and all of what cannot be read, is ones. */
void pci_rom_enable(PCIDevice *dev)
{
    uint64_t size = memory_region_size(&dev->rom);
    uint8_t *host;

    if (dev->rom_loaded) {
        return;
    }
    dev->rom_loaded = true;
    host = memory_region_get_ram_ptr(&dev->rom);
    if (!dev->rom_read(dev, host, dev->rom_size)) {
        memset(host, 0xff, dev->rom_size);
    } else if (!dev->romfile) {
        patch_ids(dev, host, dev->rom_size);
    }
    memset(host + dev->rom_size, 0xff, size - dev->rom_size);
    close_file(dev);
}

void pci_rom_free(PCIDevice *dev)
{
    close_file(dev);
    if (dev->rom_read) {
        object_unparent(OBJECT(&dev->rom));
        dev->rom_read = NULL;
        dev->rom_loaded = false;
    }
}
