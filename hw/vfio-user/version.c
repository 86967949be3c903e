/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first exchange of a vfio-user connection: a version, and capabilities as
 * JSON. What the peer does not mention has the protocol's default. Used by
 * both sides. It must accept no limit that nobody could work with.
 */
#include "qemu/osdep.h"

#include <json-glib/json-glib.h>

#include "protocol.h"
#include "qemu/units.h"

/* Less, and a single access of a BAR would come in pieces. */
#define MIN_XFER sizeof(uint64_t)

/* No limit of our own on mappings and pages: it is the server that has one. */
const VFIOUserCaps vfio_user_our_caps = {
    .max_msg_fds = VFIO_USER_MAX_FDS,
    .max_data_xfer_size = VFIO_USER_MAX_XFER,
    .max_dma_maps = INT32_MAX,
    .pgsizes = INT64_MAX & ~4095LL,
};

/* The protocol's. */
static const VFIOUserCaps default_caps = {
    .max_msg_fds = 1,
    .max_data_xfer_size = 1 * MiB,
    .max_dma_maps = UINT16_MAX,
    .pgsizes = 4096,
};

VFIOUserVersion *vfio_user_version_new(const VFIOUserCaps *caps, size_t *size)
{
    g_autofree char *json =
        g_strdup_printf("{\"capabilities\":{\"max_msg_fds\":%" PRIu64
                        ",\"max_data_xfer_size\":%" PRIu64
                        ",\"max_dma_maps\":%" PRIu64
                        ",\"pgsizes\":%" PRIu64 "}}",
                        caps->max_msg_fds, caps->max_data_xfer_size,
                        caps->max_dma_maps, caps->pgsizes);
    size_t json_size = strlen(json) + 1;
    VFIOUserVersion *version = g_malloc(sizeof(*version) + json_size);

    version->major = VFIO_USER_MAJOR;
    version->minor = VFIO_USER_MINOR;
    memcpy(version->data, json, json_size);
    *size = sizeof(*version) + json_size;
    return version;
}

/* Leaves *value alone if there is no such member. */
static bool caps_get(JsonObject *obj, const char *name, uint64_t min,
                     uint64_t *value, Error **errp)
{
    JsonNode *node = json_object_get_member(obj, name);

    if (!node) {
        return true;
    }
    if (!JSON_NODE_HOLDS_VALUE(node) ||
        json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < (int64_t)min) {
        error_setg(errp, "VERSION: %s is not a number of at least %" PRIu64,
                   name, min);
        return false;
    }
    *value = json_node_get_int(node);
    return true;
}

static bool caps_parse(JsonNode *root, VFIOUserCaps *caps, Error **errp)
{
    JsonNode *node;
    JsonObject *obj;

    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        error_setg(errp, "VERSION: its data is not a JSON object");
        return false;
    }
    node = json_object_get_member(json_node_get_object(root), "capabilities");
    if (!node) {
        return true;
    }
    if (!JSON_NODE_HOLDS_OBJECT(node)) {
        error_setg(errp, "VERSION: capabilities are not a JSON object");
        return false;
    }
    obj = json_node_get_object(node);
    return caps_get(obj, "max_msg_fds", 0, &caps->max_msg_fds, errp) &&
           caps_get(obj, "max_data_xfer_size", MIN_XFER,
                    &caps->max_data_xfer_size, errp) &&
           caps_get(obj, "max_dma_maps", 1, &caps->max_dma_maps, errp) &&
           caps_get(obj, "pgsizes", 1, &caps->pgsizes, errp);
}

bool vfio_user_version_parse(const VFIOUserMessage *msg, VFIOUserCaps *caps,
                             Error **errp)
{
    const VFIOUserVersion *version = (const void *)msg->payload;
    size_t size = msg->payload_size - sizeof(*version);
    g_autoptr(JsonParser) parser = json_parser_new();
    Error *err = NULL;

    *caps = default_caps;
    if (version->major != VFIO_USER_MAJOR) {
        error_setg(errp, "VERSION: %u.%u, only %d.x is known", version->major,
                   version->minor, VFIO_USER_MAJOR);
        return false;
    }
    if (!size) {
        return true;
    }
    if (version->data[size - 1] != '\0') {
        error_setg(errp, "VERSION: its data does not end with a NUL");
        return false;
    }
    if (!json_parser_load_from_data(parser, version->data, -1, &err)) {
        error_setg(errp, "VERSION: %s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    if (!caps_parse(json_parser_get_root(parser), caps, errp)) {
        return false;
    }
    caps->max_msg_fds = MIN(caps->max_msg_fds, VFIO_USER_MAX_FDS);
    caps->max_data_xfer_size = MIN(caps->max_data_xfer_size,
                                   VFIO_USER_MAX_XFER);
    return true;
}
