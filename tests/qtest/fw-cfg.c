/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fw-cfg.h"

void qfw_cfg_read(QTestState *s, uint16_t key, void *data, size_t n)
{
    uint8_t *bytes = data;

    qtest_outw(s, QFW_CFG_SELECTOR, key);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = qtest_inb(s, QFW_CFG_DATA);
    }
}

uint64_t qfw_cfg_read_le(QTestState *s, uint16_t key, unsigned n)
{
    uint64_t value = 0;

    g_assert_cmpuint(n, <=, sizeof(value));
    qfw_cfg_read(s, key, &value, n);
    return GUINT64_FROM_LE(value);
}

/* --- files --- */

uint16_t qfw_cfg_find_file(QTestState *s, const char *name, uint32_t *size)
{
    uint32_t count;

    qfw_cfg_read(s, FW_CFG_FILE_DIR, &count, sizeof(count));
    count = GUINT32_FROM_BE(count);
    g_assert_cmpuint(count, <, 256);
    for (uint32_t i = 0; i < count; i++) {
        struct fw_cfg_file file;

        for (size_t j = 0; j < sizeof(file); j++) {
            ((uint8_t *)&file)[j] = qtest_inb(s, QFW_CFG_DATA);
        }
        g_assert_nonnull(memchr(file.name, 0, sizeof(file.name)));
        if (strcmp(file.name, name) == 0) {
            *size = GUINT32_FROM_BE(file.size);
            return GUINT16_FROM_BE(file.select);
        }
    }
    return 0;
}

GByteArray *qfw_cfg_read_file(QTestState *s, const char *name)
{
    uint32_t size = 0;
    uint16_t key = qfw_cfg_find_file(s, name, &size);
    GByteArray *data;

    if (!key) {
        return NULL;
    }
    data = g_byte_array_sized_new(size);
    g_byte_array_set_size(data, size);
    qfw_cfg_read(s, key, data->data, size);
    return data;
}

/* --- DMA --- */

uint32_t qfw_cfg_dma(QTestState *s, uint64_t at, uint32_t control,
                     uint32_t length, uint64_t address)
{
    const struct fw_cfg_dma_access access = {
        .control = GUINT32_TO_BE(control),
        .length = GUINT32_TO_BE(length),
        .address = GUINT64_TO_BE(address),
    };

    qtest_memwrite(s, at, &access, sizeof(access));
    qtest_outl(s, QFW_CFG_DMA, GUINT32_TO_BE((uint32_t)(at >> 32)));
    qtest_outl(s, QFW_CFG_DMA + 4, GUINT32_TO_BE((uint32_t)at));
    return GUINT32_FROM_BE(qtest_readl(s, at));
}
