/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The region graph and the flat views as text, for people and for the scripts
 * that read QEMU's "info mtree". Looks only; called by the monitor.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "memory-internal.h"

/* Of a managed range this many populated runs are listed. */
#define RUNS_SHOWN 16

static const char *region_type(const MemoryRegion *mr)
{
    while (mr->alias) {
        mr = mr->alias;
    }
    if (mr->ram_device) {
        return "ramd";
    }
    if (mr->ram) {
        return mr->readonly ? "rom" : "ram";
    }
    return "i/o";
}

/* "START-LAST"; @size 0 shows as one byte, as nothing would not be a range. */
static void append_range(GString *out, hwaddr start, Int128 size)
{
    g_string_append_printf(out, "%016" HWADDR_PRIx "-%016" HWADDR_PRIx, start,
                           start + (size ? int128_getlo(size - 1) : 0));
}

/* --- the graph --- */

/* Regions are few; what was met before is found by a walk. */
static void remember(GPtrArray *met, void *what)
{
    if (!g_ptr_array_find(met, what, NULL)) {
        g_ptr_array_add(met, what);
    }
}

static gint compare_place(gconstpointer pa, gconstpointer pb)
{
    const MemoryRegion *a = *(MemoryRegion *const *)pa;
    const MemoryRegion *b = *(MemoryRegion *const *)pb;

    if (a->addr != b->addr) {
        return a->addr < b->addr ? -1 : 1;
    }
    return b->priority - a->priority;
}

/* By address, among equals the one that answers first. */
static GPtrArray *sorted_children(const MemoryRegion *mr)
{
    GPtrArray *children = g_ptr_array_new();
    MemoryRegion *child;

    QTAILQ_FOREACH(child, &mr->subregions, subregions_link) {
        g_ptr_array_add(children, child);
    }
    g_ptr_array_sort(children, compare_place);
    return children;
}

/* @base: where the container is. Targets of aliases are put on @aliased. */
static void print_region(GString *out, const MemoryRegion *mr, hwaddr base,
                         unsigned level, GPtrArray *aliased)
{
    g_autoptr(GPtrArray) children = sorted_children(mr);
    hwaddr start = base + mr->addr;

    g_string_append_printf(out, "%*s", 2 * level, "");
    append_range(out, start, mr->size);
    g_string_append_printf(out, " (prio %d, %s): ", mr->priority,
                           region_type(mr));
    if (mr->alias) {
        remember(aliased, mr->alias);
        g_string_append_printf(out, "alias %s @%s ", mr->name,
                               mr->alias->name);
        append_range(out, mr->alias_offset, mr->size);
    } else {
        g_string_append(out, mr->name);
    }
    g_string_append(out, mr->enabled ? "\n" : " [disabled]\n");
    for (guint i = 0; i < children->len; i++) {
        print_region(out, g_ptr_array_index(children, i), start, level + 1,
                     aliased);
    }
}

/* Address spaces that look at one region share its tree. */
static void print_graph(GString *out, const GPtrArray *spaces)
{
    g_autoptr(GPtrArray) roots = g_ptr_array_new();
    g_autoptr(GPtrArray) aliased = g_ptr_array_new();

    for (guint i = 0; i < spaces->len; i++) {
        remember(roots, ((AddressSpace *)g_ptr_array_index(spaces, i))->root);
    }
    for (guint r = 0; r < roots->len; r++) {
        for (guint i = 0; i < spaces->len; i++) {
            AddressSpace *as = g_ptr_array_index(spaces, i);

            if (as->root == g_ptr_array_index(roots, r)) {
                g_string_append_printf(out, "address-space: %s\n", as->name);
            }
        }
        print_region(out, g_ptr_array_index(roots, r), 0, 1, aliased);
        g_string_append_c(out, '\n');
    }
    for (guint i = 0; i < aliased->len; i++) {    /* it grows meanwhile */
        MemoryRegion *mr = g_ptr_array_index(aliased, i);

        g_string_append_printf(out, "memory-region: %s\n", mr->name);
        print_region(out, mr, 0, 1, aliased);
        g_string_append_c(out, '\n');
    }
}

/* --- flat views --- */

typedef struct RunsPrinter {
    GString *out;
    unsigned printed;
} RunsPrinter;

static int print_run(const MemoryRegionSection *run, void *opaque)
{
    RunsPrinter *p = opaque;

    if (p->printed++ == RUNS_SHOWN) {
        g_string_append(p->out, "    ... (info ram-discard tells the rest)\n");
        return 1;
    }
    g_string_append(p->out, "    populated ");
    append_range(p->out, run->offset_within_address_space, run->size);
    g_string_append_c(p->out, '\n');
    return 0;
}

/* Of a section whose region has a manager. */
static void print_runs(GString *out, const MemoryRegionSection *section)
{
    RunsPrinter p = { .out = out };

    memory_region_section_foreach_populated(section, print_run, &p);
}

static void print_managers(GString *out, const MemoryRegion *mr)
{
    const char *separator = " [managed by ";
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &mr->discard_state->managers, next) {
        g_string_append_printf(out, "%s%s", separator,
                               object_get_typename(OBJECT(b->rdm)));
        separator = " and ";
    }
    g_string_append_c(out, ']');
}

static void print_flat_range(GString *out, FlatView *fv,
                             const FlatRange *fr)
{
    const MemoryRegionSection section = section_from_range(fv, fr);
    bool rom = fr->readonly && fr->mr->ram && !fr->mr->ram_device;

    g_string_append(out, "  ");
    append_range(out, fr->start, (Int128)(fr->last - fr->start) + 1);
    g_string_append_printf(out, " (prio %d, %s): %s", fr->mr->priority,
                           rom ? "rom" : region_type(fr->mr), fr->mr->name);
    if (fr->offset) {
        g_string_append_printf(out, " @%016" HWADDR_PRIx, fr->offset);
    }
    if (!memory_region_has_ram_discard_mgr(fr->mr)) {
        g_string_append_c(out, '\n');
        return;
    }
    print_managers(out, fr->mr);
    g_string_append_c(out, '\n');
    print_runs(out, &section);
}

static void print_view_header(GString *out, const AddressSpace *as)
{
    g_string_append_printf(out, " AS \"%s\", root: %s", as->name,
                           as->root->name);
    if (as->root->alias) {
        g_string_append_printf(out, ", alias %s", as->root->alias->name);
    }
    g_string_append_c(out, '\n');
}

static void print_views(GString *out, const GPtrArray *spaces)
{
    g_autoptr(GPtrArray) views = g_ptr_array_new();

    for (guint i = 0; i < spaces->len; i++) {
        AddressSpace *as = g_ptr_array_index(spaces, i);

        remember(views, as->current_map);
    }
    for (guint v = 0; v < views->len; v++) {
        FlatView *fv = g_ptr_array_index(views, v);
        const MemoryRegion *root = NULL;

        g_string_append_printf(out, "FlatView #%u\n", v);
        for (guint i = 0; i < spaces->len; i++) {
            AddressSpace *as = g_ptr_array_index(spaces, i);

            if (as->current_map == fv) {
                print_view_header(out, as);
                root = flatview_root(as->root);
            }
        }
        g_string_append_printf(out, " Root memory region: %s\n",
                               root ? root->name : "(none)");
        for (unsigned i = 0; i < fv->nr; i++) {
            print_flat_range(out, fv, &fv->ranges[i]);
        }
        g_string_append(out, fv->nr ? "\n" : "  No rendered FlatView\n\n");
    }
}

void mtree_info(GString *out, bool flatview)
{
    g_autoptr(GPtrArray) spaces = address_spaces_list();

    if (flatview) {
        print_views(out, spaces);
    } else {
        print_graph(out, spaces);
    }
}
