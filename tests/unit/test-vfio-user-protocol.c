/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/vfio-user/protocol.c and user-version.c: which messages are accepted.
 * Truncated, oversized, overflowing and random ones; random ones depend on
 * g_test's --seed.
 */
#include "qemu/osdep.h"

#include "hw/vfio-user/protocol.h"
#include "qemu/units.h"

#define FLAGS_REPLY VFIO_USER_TYPE_REPLY

/* The verdict on a message whose payload has exactly the size that it says, so
 * that a sanitizer sees a look beyond it. */
static int check(uint16_t command, uint32_t flags, const void *payload,
                 uint32_t size, unsigned nr_fds)
{
    g_autofree uint8_t *copy = g_malloc(size);
    VFIOUserMessage msg = {
        .header = { .command = command, .flags = flags,
                    .size = sizeof(VFIOUserHeader) + size },
        .payload = copy,
        .payload_size = size,
        .nr_fds = nr_fds,
    };
    g_autoptr(GError) err = NULL;
    int ret;

    if (size) {
        memcpy(copy, payload, size);
    }
    ret = vfio_user_message_check(&msg, &err);
    g_assert_true((ret == 0) == (err == NULL));
    return ret;
}

/* --- single messages --- */

/* A valid request of each kind. */
static const VFIOUserDMAMap map_ok = { 32, 3, 4096, 1 * GiB, 2 * MiB };
static const VFIOUserDMAUnmap unmap_ok = { 24, 0, 1 * GiB, 2 * MiB };
static const VFIOUserDeviceInfo info_ok = { .argsz = 16 };
static const struct vfio_region_info region_ok = { .argsz = 32, .index = 2 };
static const struct vfio_irq_info irq_ok = { .argsz = 16, .index = 2 };
static const struct vfio_irq_set set_ok = {
    .argsz = 20, .flags = VFIO_IRQ_SET_DATA_EVENTFD |
                          VFIO_IRQ_SET_ACTION_TRIGGER,
    .index = 2, .start = 0, .count = 3,
};
static const VFIOUserRegionAccess read_ok = { .offset = 8, .count = 4 };
static const VFIOUserDMAAccess dma_ok = { .address = 8, .count = 4 };

static const struct {
    uint16_t command;
    const void *payload;
    uint32_t size;
} exact_requests[] = {
    { VFIO_USER_DMA_MAP, &map_ok, sizeof(map_ok) },
    { VFIO_USER_DMA_UNMAP, &unmap_ok, sizeof(unmap_ok) },
    { VFIO_USER_DEVICE_GET_INFO, &info_ok, sizeof(info_ok) },
    { VFIO_USER_DEVICE_GET_REGION_INFO, &region_ok, sizeof(region_ok) },
    { VFIO_USER_DEVICE_GET_IRQ_INFO, &irq_ok, sizeof(irq_ok) },
    { VFIO_USER_DEVICE_SET_IRQS, &set_ok, sizeof(set_ok) },
    { VFIO_USER_REGION_READ, &read_ok, sizeof(read_ok) },
    { VFIO_USER_DMA_READ, &dma_ok, sizeof(dma_ok) },
    { VFIO_USER_DEVICE_RESET, NULL, 0 },
};

static void test_sizes(void)
{
    uint8_t buf[64] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(exact_requests); i++) {
        uint32_t size = exact_requests[i].size;

        memset(buf, 0, sizeof(buf));
        if (size) {
            memcpy(buf, exact_requests[i].payload, size);
        }
        for (uint32_t n = 0; n <= sizeof(buf); n++) {
            g_assert_cmpint(check(exact_requests[i].command, 0, buf, n, 0), ==,
                            n == size ? 0 : -EINVAL);
        }
    }
}

static void test_unknown(void)
{
    const uint16_t unknown[] = { 0, 6, 14, 15, 16, 255, UINT16_MAX };

    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
        g_assert_cmpint(check(unknown[i], 0, NULL, 0, 0), ==, -ENOTSUP);
        g_assert_cmpint(check(unknown[i], FLAGS_REPLY, NULL, 0, 0), ==,
                        -ENOTSUP);
    }
}

static void test_headers(void)
{
    VFIOUserHeader h = { .size = sizeof(h) };

    g_assert_true(vfio_user_header_check(&h, NULL));
    h.flags = FLAGS_REPLY | VFIO_USER_ERROR | VFIO_USER_NO_REPLY;
    g_assert_true(vfio_user_header_check(&h, NULL));
    h.flags = 2;
    g_assert_false(vfio_user_header_check(&h, NULL));
    h.flags = 0;
    h.size = sizeof(h) - 1;
    g_assert_false(vfio_user_header_check(&h, NULL));
    h.size = VFIO_USER_MAX_MESSAGE;
    g_assert_true(vfio_user_header_check(&h, NULL));
    h.size++;
    g_assert_false(vfio_user_header_check(&h, NULL));
    h.size = UINT32_MAX;
    g_assert_false(vfio_user_header_check(&h, NULL));
}

static void test_map(void)
{
    const VFIOUserDMAMap bad[] = {
        { 31, 3, 0, 0, 4096 },                       /* argsz */
        { 32, 0, 0, 0, 4096 },                       /* no access at all */
        { 32, 4, 0, 0, 4096 },
        { 32, 3, 0, 0, 0 },
        { 32, 3, 0, UINT64_MAX, 2 },                 /* wraps */
        { 32, 3, UINT64_MAX - 1, 0, 4096 },
    };
    const VFIOUserDMAMap top = { 32, 1, 0, UINT64_MAX - 4095, 4096 };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(check(VFIO_USER_DMA_MAP, 0, &bad[i], sizeof(bad[i]), 0),
                        ==, -EINVAL);
    }
    g_assert_cmpint(check(VFIO_USER_DMA_MAP, 0, &top, sizeof(top), 1), ==, 0);
    g_assert_cmpint(check(VFIO_USER_DMA_MAP, 0, &top, sizeof(top), 2), ==,
                    -EINVAL);
}

static void test_unmap(void)
{
    const VFIOUserDMAUnmap bad[] = {
        { 23, 0, 0, 4096 }, { 24, 1, 0, 4096 }, { 24, 0, 0, 0 },
        { 24, 0, UINT64_MAX, 2 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_cmpint(check(VFIO_USER_DMA_UNMAP, 0, &bad[i], sizeof(bad[i]),
                              0), ==, -EINVAL);
    }
    g_assert_cmpint(check(VFIO_USER_DMA_UNMAP, 0, &unmap_ok, sizeof(unmap_ok),
                          1), ==, -EINVAL);
}

static int check_irqs(uint32_t flags, uint32_t start, uint32_t count,
                      uint32_t data_size, unsigned nr_fds)
{
    uint8_t buf[sizeof(struct vfio_irq_set) + 64] = { 0 };
    const struct vfio_irq_set set = {
        .argsz = sizeof(set), .flags = flags, .start = start, .count = count,
    };

    memcpy(buf, &set, sizeof(set));
    return check(VFIO_USER_DEVICE_SET_IRQS, 0, buf, sizeof(set) + data_size,
                 nr_fds);
}

static void test_irqs(void)
{
    const uint32_t trigger = VFIO_IRQ_SET_ACTION_TRIGGER;
    const uint32_t none = VFIO_IRQ_SET_DATA_NONE | trigger;
    const uint32_t fds = VFIO_IRQ_SET_DATA_EVENTFD | trigger;
    const uint32_t bools = VFIO_IRQ_SET_DATA_BOOL | trigger;

    g_assert_cmpint(check_irqs(none, 0, 0, 0, 0), ==, 0);
    g_assert_cmpint(check_irqs(none, 1, 0, 0, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(none, 0, 1, 4, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(none, 0, 1, 0, 1), ==, -EINVAL);
    g_assert_cmpint(check_irqs(fds, 0, 3, 0, 3), ==, 0);
    g_assert_cmpint(check_irqs(fds, 0, 3, 0, 0), ==, 0);
    g_assert_cmpint(check_irqs(fds, 0, 3, 0, 2), ==, -EINVAL);
    g_assert_cmpint(check_irqs(fds, 0, 3, 0, 4), ==, -EINVAL);
    g_assert_cmpint(check_irqs(fds, 0, 3, 12, 3), ==, -EINVAL);
    g_assert_cmpint(check_irqs(fds, 0, 33, 0, 33), ==, -EINVAL);
    g_assert_cmpint(check_irqs(bools, 0, 3, 3, 0), ==, 0);
    g_assert_cmpint(check_irqs(bools, 0, 3, 2, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(none, UINT32_MAX, 1, 0, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(none, 0, UINT32_MAX, 0, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(trigger, 0, 1, 0, 0), ==, -EINVAL);
    g_assert_cmpint(check_irqs(VFIO_IRQ_SET_DATA_NONE, 0, 1, 0, 0), ==,
                    -EINVAL);
    g_assert_cmpint(check_irqs(none | VFIO_IRQ_SET_ACTION_MASK, 0, 1, 0, 0), ==,
                    -EINVAL);
    g_assert_cmpint(check_irqs(none | 1U << 31, 0, 1, 0, 0), ==, -EINVAL);
}

/* count, address and the data that is really there, for all four. */
static int check_access(uint16_t command, uint32_t flags, uint64_t at,
                        uint64_t count, uint32_t data_size)
{
    bool dma = command == VFIO_USER_DMA_READ || command == VFIO_USER_DMA_WRITE;
    g_autofree uint8_t *buf = g_malloc0(sizeof(read_ok) + data_size);
    const VFIOUserRegionAccess region = { .offset = at, .count = count };
    const VFIOUserDMAAccess access = { .address = at, .count = count };

    memcpy(buf, dma ? (const void *)&access : &region, sizeof(region));
    return check(command, flags, buf, sizeof(region) + data_size, 0);
}

static void test_access(void)
{
    /* With data, and without. */
    const struct { uint16_t with, without; } kinds[] = {
        { VFIO_USER_REGION_WRITE, VFIO_USER_REGION_READ },
        { VFIO_USER_DMA_WRITE, VFIO_USER_DMA_READ },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (int reply = 0; reply < 2; reply++) {
            uint32_t flags = reply ? FLAGS_REPLY : 0;
            uint16_t with = reply ? kinds[i].without : kinds[i].with;
            uint16_t without = reply ? kinds[i].with : kinds[i].without;

            g_assert_cmpint(check_access(with, flags, 0, 8, 8), ==, 0);
            g_assert_cmpint(check_access(with, flags, 0, 8, 7), ==, -EINVAL);
            g_assert_cmpint(check_access(with, flags, 0, 8, 9), ==, -EINVAL);
            g_assert_cmpint(check_access(with, flags, 0, 8, 0), ==, -EINVAL);
            g_assert_cmpint(check_access(with, flags, 0, 0, 0), ==, -EINVAL);
            g_assert_cmpint(check_access(with, flags, UINT64_MAX, 2, 2), ==,
                            -EINVAL);
            g_assert_cmpint(check_access(with, flags, UINT64_MAX, 1, 1), ==, 0);
            g_assert_cmpint(check_access(without, flags, 0, 8, 0), ==, 0);
            g_assert_cmpint(check_access(without, flags, 0, 8, 8), ==, -EINVAL);
            g_assert_cmpint(check_access(without, flags, 0, VFIO_USER_MAX_XFER,
                                         0), ==, 0);
            g_assert_cmpint(check_access(without, flags, 0,
                                         VFIO_USER_MAX_XFER + 1, 0), ==,
                            -EINVAL);
        }
    }
    g_assert_cmpint(check_access(VFIO_USER_DMA_READ, 0, 0, UINT64_MAX, 0), ==,
                    -EINVAL);
}

static void test_error_replies(void)
{
    VFIOUserHeader h = { .flags = FLAGS_REPLY };

    /* Need no payload. */
    for (uint16_t c = VFIO_USER_VERSION; c <= VFIO_USER_DEVICE_RESET; c++) {
        g_assert_cmpint(check(c, FLAGS_REPLY | VFIO_USER_ERROR, NULL, 0, 0), ==,
                        c == 6 ? -ENOTSUP : 0);
    }
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, 0);
    h.error = EPERM;
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, 0);
    h.flags |= VFIO_USER_ERROR;
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, -EPERM);
    h.error = 0;
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, -EIO);
    h.error = 4096;
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, -EIO);
    h.error = UINT32_MAX;
    g_assert_cmpint(vfio_user_reply_errno(&h), ==, -EIO);
}

/* Whatever is accepted has its payload in bounds: the sanitizers watch. */
static void test_random(void)
{
    uint8_t buf[128];
    unsigned accepted = 0;

    for (int i = 0; i < 200000; i++) {
        uint16_t command = g_test_rand_int_range(0, 18);
        uint32_t size = g_test_rand_int_range(0, sizeof(buf) + 1);
        uint32_t flags = g_test_rand_int_range(0, 2);

        for (uint32_t n = 0; n < size; n++) {
            /* Small numbers are the more dangerous ones. */
            buf[n] = g_test_rand_bit() ? g_test_rand_int_range(0, 256)
                                       : g_test_rand_bit();
        }
        accepted += check(command, flags, buf, size,
                          g_test_rand_int_range(0, 4)) == 0;
    }
    g_assert_cmpuint(accepted, >, 0);
}

/* --- versions --- */

static bool parse_version(uint16_t major, const char *data, size_t size,
                          VFIOUserCaps *caps)
{
    g_auto(VFIOUserMessage) msg = {
        .payload_size = sizeof(VFIOUserVersion) + size,
        .payload = g_malloc(sizeof(VFIOUserVersion) + size),
    };
    g_autoptr(GError) err = NULL;
    bool ok;

    memcpy(msg.payload, &(VFIOUserVersion) { .major = major },
           sizeof(VFIOUserVersion));
    memcpy(msg.payload + sizeof(VFIOUserVersion), data, size);
    ok = vfio_user_version_parse(&msg, caps, &err);
    g_assert_true(ok == (err == NULL));
    return ok;
}

static bool parse_json(const char *json, VFIOUserCaps *caps)
{
    return parse_version(VFIO_USER_MAJOR, json, strlen(json) + 1, caps);
}

static void test_version(void)
{
    const VFIOUserCaps mine = { 7, 64 * KiB, 1000, 4096 | 2 * MiB };
    g_auto(VFIOUserMessage) msg = { 0 };
    VFIOUserCaps caps;
    size_t size;

    msg.payload = (void *)vfio_user_version_new(&mine, &size);
    msg.payload_size = size;
    g_assert_true(vfio_user_version_parse(&msg, &caps, &error_abort));
    g_assert_cmpmem(&caps, sizeof(caps), &mine, sizeof(mine));
}

static void test_version_defaults(void)
{
    const char *const same[] = { "{}", "{\"capabilities\":{}}",
                                 "{\"capabilities\":{\"new\":[1]},\"x\":2}" };
    VFIOUserCaps caps;

    g_assert_true(parse_version(VFIO_USER_MAJOR, "", 0, &caps));
    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        g_assert_cmpuint(caps.max_msg_fds, ==, 1);
        g_assert_cmpuint(caps.max_data_xfer_size, ==, 1 * MiB);
        g_assert_cmpuint(caps.max_dma_maps, ==, 65535);
        g_assert_cmpuint(caps.pgsizes, ==, 4096);
        g_assert_true(parse_json(same[i], &caps));
    }
    g_assert_true(parse_json("{\"capabilities\":{\"max_msg_fds\":99999,"
                             "\"max_data_xfer_size\":99999999999}}", &caps));
    g_assert_cmpuint(caps.max_msg_fds, ==, VFIO_USER_MAX_FDS);
    g_assert_cmpuint(caps.max_data_xfer_size, ==, VFIO_USER_MAX_XFER);
}

static void test_version_nonsense(void)
{
    const char *const bad[] = {
        "", "x", "{", "[]", "1", "null", "{\"capabilities\":1}",
        "{\"capabilities\":{\"max_dma_maps\":0}}",
        "{\"capabilities\":{\"max_dma_maps\":-1}}",
        "{\"capabilities\":{\"max_dma_maps\":1.5}}",
        "{\"capabilities\":{\"max_dma_maps\":\"1\"}}",
        "{\"capabilities\":{\"max_msg_fds\":-1}}",
        "{\"capabilities\":{\"max_data_xfer_size\":0}}",
        "{\"capabilities\":{\"max_data_xfer_size\":7}}",
        "{\"capabilities\":{\"max_data_xfer_size\":true}}",
        "{\"capabilities\":{\"pgsizes\":0}}",
        "{\"capabilities\":{\"pgsizes\":null}}",
    };
    g_autofree char *deep = g_strnfill(VFIO_USER_MAX_VERSION - 5, '[');
    VFIOUserCaps caps;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        g_assert_false(parse_json(bad[i], &caps));
    }
    g_assert_false(parse_version(VFIO_USER_MAJOR, "{}", 2, &caps));
    g_assert_false(parse_version(VFIO_USER_MAJOR + 1, "{}", 3, &caps));
    g_assert_false(parse_json(deep, &caps));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vfio-user/message/truncated or too long", test_sizes);
    g_test_add_func("/vfio-user/message/unknown command", test_unknown);
    g_test_add_func("/vfio-user/message/headers", test_headers);
    g_test_add_func("/vfio-user/message/DMA_MAP nonsense", test_map);
    g_test_add_func("/vfio-user/message/DMA_UNMAP nonsense", test_unmap);
    g_test_add_func("/vfio-user/message/SET_IRQS nonsense", test_irqs);
    g_test_add_func("/vfio-user/message/counts and data differ", test_access);
    g_test_add_func("/vfio-user/message/error replies", test_error_replies);
    g_test_add_func("/vfio-user/message/random", test_random);
    g_test_add_func("/vfio-user/version/round trip", test_version);
    g_test_add_func("/vfio-user/version/defaults", test_version_defaults);
    g_test_add_func("/vfio-user/version/nonsense", test_version_nonsense);
    return g_test_run();
}
