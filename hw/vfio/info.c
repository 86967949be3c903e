/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Capability chains behind the answers of VFIO's INFO calls. The answer may
 * come from another process: no offset in it is trusted, no chain followed for
 * longer than the answer is.
 */
#include "qemu/osdep.h"

#include "hw/vfio/device.h"

const void *vfio_info_cap(const void *info, uint32_t size, uint32_t offset,
                          uint16_t id, uint32_t min_size, uint32_t *avail)
{
    struct vfio_info_cap_header header;

    while (offset && offset < size && size - offset >= sizeof(header)) {
        const uint8_t *at = (const uint8_t *)info + offset;

        memcpy(&header, at, sizeof(header));
        if (header.id == id) {
            if (size - offset < min_size || offset % sizeof(uint32_t)) {
                return NULL;
            }
            if (avail) {
                *avail = size - offset;
            }
            return at;
        }
        if (header.next <= offset) {
            return NULL;
        }
        offset = header.next;
    }
    return NULL;
}
