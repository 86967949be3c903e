/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bzimage.h"

char *make_bzimage(void)
{
    uint8_t image[0x2000] = { 0 };
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("bzimage-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    image[0x1f1] = 4;                     /* setup sectors */
    image[0x1fe] = 0x55;
    image[0x1ff] = 0xaa;
    image[0x201] = 0x66;                  /* where the header ends */
    memcpy(image + 0x202, "HdrS", 4);
    image[0x206] = 0x0f;                  /* protocol 2.15 */
    image[0x207] = 0x02;
    image[0x211] = 0x01;                  /* loaded high */
    image[0x22c] = 0xff;                  /* initrd_addr_max */
    image[0x22d] = 0xff;
    image[0x22e] = 0xff;
    image[0x22f] = 0x7f;
    image[0x232] = 0x20;                  /* kernel_alignment, 2 MiB */
    image[0x234] = 1;                     /* relocatable */
    image[0x235] = 21;                    /* min_alignment */
    image[0x236] = 1;                     /* 64-bit entry */
    image[0x239] = 0x07;                  /* cmdline_size */
    image[0x25a] = 0x10;                  /* pref_address 1 MiB */
    image[0x262] = 0x10;                  /* init_size 1 MiB */
    g_assert_cmpint(write(fd, image, sizeof(image)), ==, sizeof(image));
    close(fd);
    return g_steal_pointer(&path);
}
