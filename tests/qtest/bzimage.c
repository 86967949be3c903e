/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <asm/bootparam.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "bzimage.h"

#define SETUP_SECTS 4
#define SETUP_SIZE ((SETUP_SECTS + 1) * 512)
#define ENTRY 0x200                       /* in 64-bit mode, behind the setup */
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define TAIL 4096                         /* the loader is to find more than code */

void bzimage_write(const char *path, const uint8_t *code, size_t size)
{
    size_t total = SETUP_SIZE + ENTRY + size + TAIL;
    g_autofree uint8_t *image = g_malloc0(total);
    const struct setup_header header = {
        .setup_sects = SETUP_SECTS,
        .syssize = DIV_ROUND_UP(total - SETUP_SIZE, 16),
        .boot_flag = 0xaa55,
        .jump = 0x6aeb,
        .header = 0x53726448,             /* "HdrS" */
        .version = 0x020f,
        .loadflags = LOADED_HIGH,
        .initrd_addr_max = INT32_MAX,
        .xloadflags = XLF_KERNEL_64,
        .cmdline_size = 255,
        .pref_address = 16 << 20,
        .init_size = 1 << 20,
    };
    GError *err = NULL;

    memcpy(image + offsetof(struct boot_params, hdr), &header, sizeof(header));
    memcpy(image + SETUP_SIZE + ENTRY, code, size);
    g_file_set_contents(path, (const char *)image, (gssize)total, &err);
    g_assert_no_error(err);
}

char *bzimage_make(void)
{
    static const uint8_t halt[] = { 0xf4, 0xeb, 0xfd };   /* for ever */
    char *path = NULL;
    int fd = g_file_open_tmp("bzimage-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    bzimage_write(path, halt, sizeof(halt));
    return path;
}
