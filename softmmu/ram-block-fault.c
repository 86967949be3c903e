/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest RAM that is gone: its file was cut short by another process, or had no
 * room when a page was touched first (qemu/file-mapping.h). The guest goes on
 * with zeros there; this file tells people and clients, and lets those ask who
 * must not take zeros for contents.
 */
#include "qemu/osdep.h"

#include "exec/ramblock.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"

void ram_block_broken(void *opaque, const char *why)
{
    const RAMBlock *rb = opaque;
    JsonObject *data = json_object_new();

    error_report("memory '%s' is broken: %s; what is gone reads as zero",
                 rb->idstr, why);
    json_object_set_string_member(data, "id", rb->idstr);
    json_object_set_string_member(data, "reason", why);
    qapi_event_emit("MEMORY_BACKEND_BROKEN", data);
}

static FileMappingState block_state(const RAMBlock *rb)
{
    return rb->mapping ? file_mapping_state(rb->mapping) : FILE_MAPPING_INTACT;
}

static void set_error(const RAMBlock *rb, Error **errp)
{
    error_setg(errp, "memory '%s' (%s) is broken: %s", rb->idstr,
               file_mapping_path(rb->mapping), file_mapping_why(rb->mapping));
}

bool ram_block_check_contents(const RAMBlock *rb, Error **errp)
{
    if (block_state(rb) != FILE_MAPPING_CUT) {
        return true;
    }
    set_error(rb, errp);
    return false;
}

bool ram_block_check_intact(const RAMBlock *rb, Error **errp)
{
    if (block_state(rb) == FILE_MAPPING_INTACT) {
        return true;
    }
    set_error(rb, errp);
    return false;
}

static int check_intact(RAMBlock *rb, void *opaque)
{
    return ram_block_check_intact(rb, opaque) ? 0 : 1;
}

bool ram_blocks_check_intact(Error **errp)
{
    return !qemu_ram_foreach_block(check_intact, errp);
}

void ram_block_lend(RAMBlock *rb)
{
    if (!rb->lent && rb->cuttable) {
        warn_report("memory '%s' is given to another process, which can cut it "
                    "short: memory-backend-memfd (with seal=on) cannot be",
                    rb->idstr);
    }
    rb->lent = true;
}
