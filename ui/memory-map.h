/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a memory map shows, between the file that looks at guest memory
 * (map-model.c), the one that draws (map-draw.c) and the commands
 * (memory-map.c). Big lock held.
 */
#ifndef UI_MEMORY_MAP_H
#define UI_MEMORY_MAP_H

#include "exec/ram-discard.h"
#include "canvas.h"
#include "map-layout.h"

/* One range of the flat view of guest memory. */
typedef struct MapRange {
    MapExtent extent;
    MapKind kind;                         /* MAP_PLUGGED: of a managed region */
    MemoryRegionSection section;          /* borrowed */
} MapRange;

typedef struct MapModel {
    GArray *ranges;                       /* MapRange, ascending */
    GArray *extents;                      /* MapExtent: of the ranges */
    GPtrArray *regions;                   /* MemoryRegion, managed, in order */
    /* Kinds of listeners of managed regions; a literal each. */
    const char *consumers[MAP_CONSUMERS];
    unsigned nr_consumers;
    uint64_t total[MAP_COUNTS];           /* bytes, once map_model_fill() ran */
} MapModel;

/* Looks at guest memory as it is; holds nothing, so use it at once. */
MapModel *map_model_new(void);
void map_model_free(MapModel *model);
/* Counts all that there is in the cells of @layout, and in model->total. */
void map_model_fill(MapModel *model, MapLayout *layout);

typedef struct MapSize {
    unsigned width;                       /* pixels */
    unsigned height;                      /* 0: as much as is needed */
} MapSize;

#define MAP_WIDTH_DEFAULT 1280
#define MAP_WIDTH_MIN 640
#define MAP_HEIGHT_MIN 240
#define MAP_SIDE_MAX 4096

/* The picture; NULL and *errp if it cannot be that low, or there is no memory
 * for it. canvas_free(). */
Canvas *map_draw(MapModel *model, MapSize size, Error **errp);

#endif
