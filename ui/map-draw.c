/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory map as a picture: a title, rows of cells with their addresses,
 * and below them a legend with what each colour means, byte totals, and each
 * managed region with its listeners. Everything is placed by one Sheet.
 */
#include "qemu/osdep.h"
#include "map-sheet.h"
#include "qemu/cutils.h"
#include "font.h"
#include "qemu/units.h"

#define PAPER 0xffffff
#define FAINT 0x7b8794
#define HOLE 0xeef0f2
#define PARTLY_MIN 0.30                   /* least and most of a shade that */
#define PARTLY_MAX 0.75                   /* cannot be taken for none or all */

static const uint32_t kind_colours[MAP_KINDS] = {
    [MAP_RAM] = 0x4a7fb5,
    [MAP_PLUGGED] = 0x1f9d6a,
    [MAP_UNPLUGGED] = 0xc8e8d8,
    [MAP_ROM] = 0x8c6d5a,
    [MAP_DEVICE] = 0xa78bbd,
};
static const char *const kind_names[MAP_KINDS] = {
    [MAP_RAM] = "boot RAM",
    [MAP_PLUGGED] = "plugged",
    [MAP_UNPLUGGED] = "unplugged",
    [MAP_ROM] = "ROM",
    [MAP_DEVICE] = "device",
};
static const uint32_t consumer_colours[MAP_CONSUMERS] = {
    0xe8710a, 0xc5221f, 0x202a36,
};

#define CELLS_PER_GROUP 8                 /* set apart, for the eye */
#define GROUPS (CELLS_PER_ROW / CELLS_PER_GROUP)
#define GROUP_GAP 2                       /* pixels */
#define CELL_MIN (64 * KiB)               /* bytes */
#define LINES_DEFAULT 40
#define LINES_MIN 3
#define REGIONS_SHOWN 8
#define LISTENERS_SHOWN 4

/* --- text --- */

void map_sheet_text(Sheet *s, int x, int y, uint32_t colour, const char *text)
{
    if (s->canvas) {
        canvas_text(s->canvas, x, y, s->scale, colour, text);
    }
}

int map_sheet_text_width(const Sheet *s, const char *text)
{
    return canvas_text_width(text, s->scale);
}

/* A line of text, cut off where the sheet ends; the next line's y. */
static int put_line(Sheet *s, int x, int y, uint32_t colour, const char *text)
{
    int room = (s->width - s->margin - x) / (FONT_WIDTH * (int)s->scale);
    g_autofree char *shown = g_strdup(text);

    if (room < 4) {
        return y;
    }
    if ((int)strlen(shown) > room) {
        memcpy(shown + room - 3, "...", 4);
    }
    map_sheet_text(s, x, y, colour, shown);
    return y + s->line;
}

void map_sheet_box(Sheet *s, int x, int y, int width, int height,
                    uint32_t colour)
{
    if (s->canvas) {
        canvas_fill(s->canvas, x, y, width, height, colour);
    }
}

/* --- cells --- */

static uint32_t mix(uint32_t a, uint32_t b, double share_of_b)
{
    uint32_t mixed = 0;

    for (unsigned shift = 0; shift < 24; shift += 8) {
        double from = a >> shift & 0xff, to = b >> shift & 0xff;

        mixed |= (uint32_t)(from + (to - from) * share_of_b + 0.5) << shift;
    }
    return mixed;
}

static uint32_t managed_colour(uint64_t plugged, uint64_t unplugged)
{
    double share = (double)plugged / ((double)plugged + (double)unplugged);

    if (plugged && unplugged) {
        share = CLAMP(share, PARTLY_MIN, PARTLY_MAX);
    }
    return mix(kind_colours[MAP_UNPLUGGED], kind_colours[MAP_PLUGGED], share);
}

/* The colour of what most of the cell is; HOLE: nothing is there. */
static uint32_t cell_colour(const MapCell *cell, uint64_t *bytes)
{
    uint64_t managed = cell->bytes[MAP_PLUGGED] + cell->bytes[MAP_UNPLUGGED];
    uint32_t colour = HOLE;

    *bytes = managed;
    if (managed) {
        colour = managed_colour(cell->bytes[MAP_PLUGGED],
                                cell->bytes[MAP_UNPLUGGED]);
    }
    for (unsigned kind = 0; kind < MAP_KINDS; kind++) {
        if (kind != MAP_PLUGGED && kind != MAP_UNPLUGGED &&
            cell->bytes[kind] > *bytes) {
            *bytes = cell->bytes[kind];
            colour = kind_colours[kind];
        }
    }
    return colour;
}

/* At the bottom of the cell, as wide as the share that the consumer holds. */
static void draw_stripes(Sheet *s, const MapCell *cell, int x, int y, int side)
{
    int height = MAX(2, s->cell / 5);

    for (unsigned i = 0; i < s->model->nr_consumers; i++) {
        uint64_t bytes = cell->bytes[MAP_MAPPED + i];
        int width = (int)((double)side * (double)bytes /
                          (double)s->layout->cell_size + 0.5);

        if (bytes) {
            map_sheet_box(s, x, y + side - (int)(i + 1) * height,
                    CLAMP(width, 2, side), height, consumer_colours[i]);
        }
    }
}

static void draw_cell(Sheet *s, const MapCell *cell, int x, int y)
{
    int side = s->cell - 1;
    uint64_t bytes;
    uint32_t colour = cell_colour(cell, &bytes);

    map_sheet_box(s, x, y, side, side, HOLE);
    if (bytes < s->layout->cell_size / 8 && bytes) {
        int inset = side / 3;             /* a speck in a hole */

        map_sheet_box(s, x + inset, y + inset, side - 2 * inset, side - 2 * inset,
                colour);
    } else {
        map_sheet_box(s, x, y, side, side, colour);
    }
    draw_stripes(s, cell, x, y, side);
}

/* --- rows --- */

static char *address_text(uint64_t addr)
{
    return g_strdup_printf("0x%" PRIx64, addr);
}

int map_sheet_cell_x(const Sheet *s, unsigned nr)
{
    return s->left + (int)nr * s->cell +
           (int)(nr / CELLS_PER_GROUP) * GROUP_GAP;
}

static void draw_gap(Sheet *s, int y, uint64_t bytes)
{
    g_autofree char *size = size_to_str(bytes);
    g_autofree char *text = g_strdup_printf("%s left out", size);
    int width = map_sheet_cell_x(s, CELLS_PER_ROW) - s->left, middle = y + s->cell / 2;
    int room = map_sheet_text_width(s, text) + 2 * s->cell;

    for (int x = 0; x < width; x += 2 * s->cell) {
        if (x + s->cell < (width - room) / 2 || x > (width + room) / 2) {
            map_sheet_box(s, s->left + x, middle, s->cell, 1, FAINT);
        }
    }
    map_sheet_text(s, s->left + (width - map_sheet_text_width(s, text)) / 2,
             middle - 4 * (int)s->scale, FAINT, text);
}

static void draw_address(Sheet *s, int y, uint64_t addr)
{
    g_autofree char *text = address_text(addr);

    map_sheet_text(s, s->left - map_sheet_text_width(s, text) - 5 * (int)s->scale,
             y + (s->cell - 8 * (int)s->scale) / 2, INK, text);
}

static void draw_row(Sheet *s, unsigned row, int y)
{
    const MapCell *cells = s->layout->cells + (size_t)row * CELLS_PER_ROW;

    for (unsigned i = 0; i < CELLS_PER_ROW; i++) {
        draw_cell(s, &cells[i], map_sheet_cell_x(s, i), y);
    }
}

/* How far apart addresses are, so that they can be read: a power of two. */
static uint64_t address_step(const Sheet *s)
{
    uint64_t step = s->layout->row_size;

    for (int y = s->cell; y < 10 * (int)s->scale; y *= 2) {
        step *= 2;
    }
    return step;
}

/* Addresses stand at round ones, and where a row follows a gap. Returns where
 * the rows end. */
static int draw_rows(Sheet *s, int y)
{
    uint64_t step = address_step(s);
    int free_from = y;                    /* below the last address */

    for (unsigned row = 0; row < s->layout->nr_rows; row++) {
        const MapRow *r = &s->layout->rows[row];

        if (r->skipped) {
            draw_gap(s, y, r->skipped);
            y += s->cell;
        }
        if (y >= free_from &&
            (r->skipped || !row || !(r->addr & (step - 1)))) {
            draw_address(s, y, r->addr);
            free_from = y + 10 * (int)s->scale;
        }
        draw_row(s, row, y);
        y += s->cell;
    }
    return y;
}

/* Where in a row an address is, at every group of cells. */
static void draw_ruler(Sheet *s, int y)
{
    for (unsigned i = 0; i < GROUPS; i++) {
        unsigned cell = i * CELLS_PER_GROUP;
        g_autofree char *size = size_to_str(cell * s->layout->cell_size);
        g_autofree char *text = g_strconcat("+", size, NULL);
        int x = map_sheet_cell_x(s, cell);

        if (i) {
            map_sheet_text(s, x, y, FAINT, text);
        }
        map_sheet_box(s, x, y + s->line - (int)s->scale - 4, 1, 4, FAINT);
    }
}

static int draw_title(Sheet *s)
{
    g_autofree char *cell = size_to_str(s->layout->cell_size);
    g_autofree char *row = size_to_str(s->layout->row_size);
    g_autofree char *scale = g_strdup_printf("cell: %s   row: %s", cell, row);
    const char *title = "Guest physical memory";
    int right = map_sheet_cell_x(s, CELLS_PER_ROW) - GROUP_GAP - map_sheet_text_width(s, scale);

    if (s->canvas) {
        canvas_text(s->canvas, s->margin, s->margin, s->scale + 1, INK, title);
    }
    map_sheet_text(s, right, s->margin + 5 * (int)s->scale, INK, scale);
    return s->margin + 9 * (int)(s->scale + 1) + s->line / 2;
}

/* --- legend --- */

/* A sample and its name; they flow, and *x and *y say where the next begins. */
static void put_sample(Sheet *s, int *x, int *y, uint32_t left, uint32_t right,
                       bool stripe, const char *text)
{
    int side = 7 * (int)s->scale, height = stripe ? side / 3 : side;
    int width = side + 3 * (int)s->scale + map_sheet_text_width(s, text);

    if (*x > s->margin && *x + width > s->width - s->margin) {
        *x = s->margin;
        *y += s->line;
    }
    map_sheet_box(s, *x, *y + side - height, side / 2, height, left);
    map_sheet_box(s, *x + side / 2, *y + side - height, side - side / 2, height,
            right);
    map_sheet_text(s, *x + side + 3 * (int)s->scale, *y, INK, text);
    *x += width + 14 * (int)s->scale;
}

static void put_kind(Sheet *s, int *x, int *y, MapKind kind)
{
    g_autofree char *size = size_to_str(s->model->total[kind]);
    g_autofree char *text = g_strdup_printf("%s %s", kind_names[kind], size);

    put_sample(s, x, y, kind_colours[kind], kind_colours[kind], false, text);
}

static int draw_samples(Sheet *s, int y)
{
    const uint64_t *total = s->model->total;
    int x = s->margin;

    for (unsigned kind = 0; kind < MAP_KINDS; kind++) {
        if (total[kind] || kind == MAP_RAM) {
            put_kind(s, &x, &y, kind);
        }
        if (kind == MAP_PLUGGED && total[kind] && total[MAP_UNPLUGGED]) {
            put_sample(s, &x, &y, managed_colour(1, 3), managed_colour(3, 1),
                       false, "partly plugged");
        }
    }
    put_sample(s, &x, &y, HOLE, HOLE, false, "hole");
    for (unsigned i = 0; i < s->model->nr_consumers; i++) {
        g_autofree char *size = size_to_str(total[MAP_MAPPED + i]);
        g_autofree char *text = g_strdup_printf(
            "mapped by %s %s", s->model->consumers[i], size);

        put_sample(s, &x, &y, consumer_colours[i], consumer_colours[i], true,
                   text);
    }
    return y + s->line;
}

static int draw_listener(Sheet *s, const RamDiscardListener *rdl, int y)
{
    g_autoptr(GString) text = g_string_new(rdl->kind ? rdl->kind : "unnamed");
    RamDiscardListenerInfo info = { 0 };

    if (rdl->get_info) {
        g_autofree char *mapped = NULL, *devices = NULL;

        rdl->get_info(rdl, &info);
        if (info.devices) {
            devices = g_strjoinv(", ", (char **)info.devices);
            g_string_append_printf(text, " of %s", devices);
        }
        mapped = size_to_str(info.mapped);
        g_string_append_printf(text, ": %s in %" PRIu64 " mapping%s", mapped,
                               info.mappings, info.mappings == 1 ? "" : "s");
    }
    if (info.mappings_budget) {
        g_string_append_printf(text, " of %" PRIu64, info.mappings_budget);
    }
    return put_line(s, s->margin + 12 * (int)s->scale, y, INK, text->str);
}

static int draw_state(Sheet *s, const RamDiscardState *state, int y)
{
    const RamDiscardListener *rdl;
    unsigned shown = 0, more = 0;

    QTAILQ_FOREACH(rdl, &state->listeners, next) {
        if (shown < LISTENERS_SHOWN) {
            y = draw_listener(s, rdl, y);
            shown++;
        } else {
            more++;
        }
    }
    if (more) {
        g_autofree char *text = g_strdup_printf("and %u listeners more", more);

        y = put_line(s, s->margin + 12 * (int)s->scale, y, FAINT, text);
    }
    if (state->refusal.count && state->refusal.standing) {
        g_autofree char *text = g_strdup_printf(
            "a plug was refused: %s", state->refusal.reason);

        y = put_line(s, s->margin + 12 * (int)s->scale, y,
                     consumer_colours[1], text);
    }
    return y;
}

static int draw_region(Sheet *s, MemoryRegion *mr, int y)
{
    const RamDiscardState *state = memory_region_ram_discard_state(mr);
    g_autofree char *size = size_to_str(memory_region_size(mr));
    g_autofree char *block = size_to_str(state->granularity);
    g_autofree char *plugged =
        size_to_str(ram_discard_state_populated(state));
    g_autoptr(GString) managers = g_string_new(NULL);
    g_autofree char *text = NULL;
    const RamDiscardBlocks *b;

    QTAILQ_FOREACH(b, &state->managers, next) {
        g_string_append_printf(managers, "%s%s", managers->len ? " and " : "",
                               object_get_typename(OBJECT(b->rdm)));
    }
    text = g_strdup_printf("%s (%s), %s plugged of %s in blocks of %s",
                           memory_region_name(mr), managers->str, plugged,
                           size, block);
    return draw_state(s, state, put_line(s, s->margin, y, INK, text));
}

static int draw_legend(Sheet *s, int y)
{
    const GPtrArray *regions = s->model->regions;

    y = draw_samples(s, y) + s->line / 3;
    for (guint i = 0; i < regions->len && i < REGIONS_SHOWN; i++) {
        y = draw_region(s, g_ptr_array_index(regions, i), y);
    }
    if (regions->len > REGIONS_SHOWN) {
        g_autofree char *text = g_strdup_printf("and %u regions more",
                                                regions->len - REGIONS_SHOWN);

        y = put_line(s, s->margin, y, FAINT, text);
    }
    return y;
}

/* --- the sheet --- */

/* All but the lines of cells; its height in pixels. */
static int frame_height(Sheet *s)
{
    return s->top + s->line + draw_legend(s, 0) + s->margin;
}

static void sheet_init(Sheet *s, MapModel *model, unsigned width)
{
    const GArray *extents = model->extents;
    g_autofree char *widest = address_text(
        extents->len ? g_array_index(extents, MapExtent,
                                     extents->len - 1).last : 0);

    *s = (Sheet) {
        .model = model,
        .scale = width >= 960 ? 2 : 1,
        .width = (int)width,
    };
    s->margin = 10 * (int)s->scale;
    s->line = 12 * (int)s->scale;
    s->left = s->margin + map_sheet_text_width(s, widest) + 5 * (int)s->scale;
    s->cell = (s->width - s->left - s->margin - (GROUPS - 1) * GROUP_GAP) /
              CELLS_PER_ROW;
    s->top = s->margin + 9 * (int)(s->scale + 1) + s->line / 2 + s->line;
}

static bool choose_lines(Sheet *s, unsigned height, unsigned *lines,
                         Error **errp)
{
    int needed = frame_height(s) + LINES_MIN * s->cell;

    if (height && (int)height < needed) {
        error_setg(errp, "Parameter 'height' is too small for this map: at "
                   "least %d pixels are needed", needed);
        return false;
    }
    *lines = height ? (height - (unsigned)frame_height(s)) / (unsigned)s->cell
                    : LINES_DEFAULT;
    return true;
}

static void draw_sheet(Sheet *s)
{
    int y = draw_title(s);

    draw_ruler(s, y);
    y = draw_rows(s, s->top) + s->line;
    map_draw_borders(s);
    draw_legend(s, y);
}

Canvas *map_draw(MapModel *model, MapSize size, Error **errp)
{
    MapLayout *layout;
    unsigned lines;
    Sheet s;

    if (!model->extents->len) {
        error_setg(errp, "the guest has no memory to draw");
        return NULL;
    }
    sheet_init(&s, model, size.width);
    /* Totals decide what the legend shows, and so what room is left. */
    layout = map_layout_new((const MapExtent *)model->extents->data,
                            model->extents->len, CELLS_PER_ROW, CELL_MIN,
                            LINES_DEFAULT);
    map_model_fill(model, layout);
    if (!choose_lines(&s, size.height, &lines, errp)) {
        map_layout_free(layout);
        return NULL;
    }
    if (lines != LINES_DEFAULT) {
        map_layout_free(layout);
        layout = map_layout_new((const MapExtent *)model->extents->data,
                                model->extents->len, CELLS_PER_ROW, CELL_MIN,
                                lines);
        memset(model->total, 0, sizeof(model->total));
        map_model_fill(model, layout);
    }
    s.layout = layout;
    s.canvas = canvas_new(size.width,
                          size.height ? size.height
                          : (unsigned)(frame_height(&s) +
                                       (int)layout->nr_lines * s.cell), PAPER,
                          errp);
    if (s.canvas) {
        draw_sheet(&s);
    }
    map_layout_free(layout);
    return s.canvas;
}
