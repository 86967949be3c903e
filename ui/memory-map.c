/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory-map-dump: guest physical memory as a picture, by QMP and HMP. The
 * file is complete or not there.
 */
#include "qemu/osdep.h"
#include "memory-map.h"
#include "monitor/hmp.h"
#include "monitor/qmp.h"

/* @name of @args, or @fallback; false: *errp. */
static bool take_side(JsonObject *args, const char *name, unsigned min,
                      unsigned fallback, unsigned *side, Error **errp)
{
    gint64 value = json_object_get_int_member_with_default(args, name,
                                                           fallback);

    if (json_object_has_member(args, name) &&
        (value < min || value > MAP_SIDE_MAX)) {
        error_setg(errp, "Parameter '%s' expects pixels, from %u to %u", name,
                   min, MAP_SIDE_MAX);
        return false;
    }
    *side = (unsigned)value;
    return true;
}

static JsonNode *qmp_memory_map_dump(JsonObject *args, Error **errp)
{
    const char *file = json_object_get_string_member(args, "file");
    MapModel *model;
    MapSize size;
    Canvas *canvas;

    if (!*file) {
        error_setg(errp, "Parameter 'file' expects the name of a file");
        return NULL;
    }
    if (!take_side(args, "width", MAP_WIDTH_MIN, MAP_WIDTH_DEFAULT,
                   &size.width, errp) ||
        !take_side(args, "height", MAP_HEIGHT_MIN, 0, &size.height, errp)) {
        return NULL;
    }
    model = map_model_new();
    canvas = map_draw(model, size, errp);
    map_model_free(model);
    if (canvas) {
        canvas_save_png(canvas, file, errp);
        canvas_free(canvas);
    }
    return NULL;
}

static void hmp_memory_map_dump(GString *out, const char *args, Error **errp)
{
    JsonObject *query = json_object_new();
    JsonNode *node;

    json_object_set_string_member(query, "file", args);
    node = hmp_call_qmp("memory-map-dump", query, errp);
    g_clear_pointer(&node, json_node_unref);
}

static const QmpCommand memory_map_commands[] = {
    { .name = "memory-map-dump", .args = "file:str,?width:int,?height:int",
      .fn = qmp_memory_map_dump,
      .help =
      "Draws guest physical memory as a map: boot RAM, what is plugged and "
      "what is not, who has it mapped, holes; writes it to 'file', a PNG.\n"
      "file: path of the picture; an older one is replaced once it is "
      "complete\n"
      "width: of the picture, in pixels (default: 1280)\n"
      "height: of the picture, in pixels (default: as many as are needed)\n"
      "Errors: one that says why the file cannot be written; then there is "
      "none" },
};

static const HmpCommand memory_map_hmp_commands[] = {
    { .name = "memory-map-dump", .params = "file",
      .help = "draw guest memory as a map into a PNG file",
      .fn = hmp_memory_map_dump },
};

static void memory_map_register(void)
{
    qmp_register_commands(memory_map_commands,
                          ARRAY_SIZE(memory_map_commands));
    hmp_register_commands(memory_map_hmp_commands,
                          ARRAY_SIZE(memory_map_hmp_commands));
}
type_init(memory_map_register)
