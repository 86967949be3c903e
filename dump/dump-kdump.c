/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compressed format of kdump, which crash and makedumpfile read: header, a
 * sub-header with the notes, two bitmaps of the pages that are RAM and that are
 * in the file (the same here), a descriptor of each such page in their order,
 * then the pages, each deflated by itself. Pages of zeros share one.
 *
 * In a file each part is written where it belongs. A stream gets the flattened
 * form of makedumpfile: records of an offset, a size and the bytes. One step
 * writes once, so that a stream can be waited for between steps.
 *
 * It must not keep more of the dump in memory than a step's.
 */
#include "qemu/osdep.h"
#include <zlib.h>
#include "dump-internal.h"
#include "qemu/cutils.h"

#define PAGE_SIZE ((uint64_t)DUMP_KDUMP_PAGE)
#define HEADER_VERSION 6
#define DUMP_LEVEL 1                      /* pages of zeros are not stored */
#define STATUS_ZLIB 0x1
#define PAGE_ZLIB 0x1
/* Of one bitmap, in a step; bytes. */
#define BITMAP_STEP (64 * KiB)

/* <linux/utsname.h>: each has a byte more than an old system call's. */
#define UTSNAME_LEN 65

typedef struct KdumpHeader {
    char signature[8];
    uint32_t version;
    char utsname[6][UTSNAME_LEN];         /* system, node, release, version,
                                           * machine, domain */
    uint8_t pad[6];
    uint64_t timestamp[2];
    uint32_t status;
    uint32_t block_size;
    uint32_t sub_header_blocks;
    uint32_t bitmap_blocks;               /* of both */
    uint32_t max_pfn_32;
    uint32_t total_ram_blocks;
    uint32_t device_blocks;
    uint32_t written_blocks;
    uint32_t current_cpu;
    uint32_t nr_cpus;
} KdumpHeader;

typedef struct KdumpSubHeader {
    uint64_t phys_base;
    uint32_t dump_level;
    uint32_t split;
    uint64_t start_pfn_32;
    uint64_t end_pfn_32;
    uint64_t vmcoreinfo_offset;
    uint64_t vmcoreinfo_size;
    uint64_t note_offset;
    uint64_t note_size;
    uint64_t erase_info_offset;
    uint64_t erase_info_size;
    uint64_t start_pfn;
    uint64_t end_pfn;
    uint64_t max_pfn;
} KdumpSubHeader;

typedef struct KdumpPage {
    uint64_t offset;
    uint32_t size;
    uint32_t flags;
    uint64_t page_flags;
} KdumpPage;

/* makedumpfile's records; big endian. */
typedef struct FlatHeader {
    char signature[16];
    uint64_t type;
    uint64_t version;
    uint8_t pad[PAGE_SIZE - 32];
} FlatHeader;

typedef struct FlatRecord {
    uint64_t offset;                      /* UINT64_MAX: the end, */
    uint64_t size;                        /* as this */
} FlatRecord;

struct DumpKdump {
    DumpOutput *out;
    bool flat;
    const GArray *pieces;                 /* DumpPiece, whole pages */
    uint64_t max_pfn;
    uint64_t bitmap_at;
    uint64_t bitmap_size;                 /* of each of the two */
    uint64_t bitmap_done;
    uint64_t page_at;                     /* of the next descriptor */
    uint64_t data_at;                     /* of the next page's data */
    KdumpPage zero_page;
    z_stream z;
    uint8_t deflated[PAGE_SIZE];
    GByteArray *descriptors;              /* of this step */
    GByteArray *data;
    GByteArray *records;                  /* of this step, flattened */
};

/* --- output --- */

/* Puts @size bytes to where they belong; false: *errp. */
static bool emit(DumpKdump *k, uint64_t offset, const void *buf, size_t size,
                 Error **errp)
{
    const FlatRecord record = { GUINT64_TO_BE(offset),
                                GUINT64_TO_BE((uint64_t)size) };

    if (!size) {
        return true;
    }
    if (!k->flat) {
        return dump_output_write_at(k->out, offset, buf, size, errp);
    }
    g_byte_array_append(k->records, (const uint8_t *)&record, sizeof(record));
    g_byte_array_append(k->records, buf, size);
    return true;
}

/* What a stream gets of a step. */
static bool end_step(DumpKdump *k, Error **errp)
{
    bool done = !k->flat || dump_output_write(k->out, k->records->data,
                                              k->records->len, errp);

    g_byte_array_set_size(k->records, 0);
    return done;
}

/* --- headers --- */

static KdumpHeader make_header(const DumpKdump *k, uint64_t sub_header_blocks,
                               unsigned nr_cpus)
{
    KdumpHeader h = {
        .signature = { 'K', 'D', 'U', 'M', 'P', ' ', ' ', ' ' },
        .version = HEADER_VERSION,
        .utsname = { [4] = "x86_64" },
        .status = STATUS_ZLIB,
        .block_size = PAGE_SIZE,
        .sub_header_blocks = sub_header_blocks,
        .bitmap_blocks = 2 * k->bitmap_size / PAGE_SIZE,
        .max_pfn_32 = MIN(k->max_pfn, UINT32_MAX),
        .nr_cpus = nr_cpus,
    };

    return h;
}

static KdumpSubHeader make_sub_header(const DumpKdump *k,
                                      const DumpNotes *notes)
{
    uint64_t note_offset = PAGE_SIZE + sizeof(KdumpSubHeader);
    KdumpSubHeader h = {
        .phys_base = notes->phys_base,
        .dump_level = DUMP_LEVEL,
        .note_offset = note_offset,
        .note_size = notes->bytes->len,
        .vmcoreinfo_offset = notes->guest_size
                                 ? note_offset + notes->guest_offset : 0,
        .vmcoreinfo_size = notes->guest_size,
        .end_pfn = k->max_pfn,
        .max_pfn = k->max_pfn,
    };

    return h;
}

static void begin_flat(DumpKdump *k)
{
    g_autofree FlatHeader *h = g_new0(FlatHeader, 1);

    g_strlcpy(h->signature, "makedumpfile", sizeof(h->signature));
    h->type = GUINT64_TO_BE((uint64_t)1);
    h->version = GUINT64_TO_BE((uint64_t)1);
    g_byte_array_append(k->records, (const uint8_t *)h, sizeof(*h));
}

/* Whole pages, and where what follows begins. */
static GByteArray *make_headers(const DumpKdump *k, const DumpNotes *notes,
                                unsigned nr_cpus)
{
    GByteArray *bytes = g_byte_array_new();
    uint64_t size = k->bitmap_at;
    KdumpHeader header = make_header(k, size / PAGE_SIZE - 1, nr_cpus);
    KdumpSubHeader sub_header = make_sub_header(k, notes);

    g_byte_array_set_size(bytes, size);
    memset(bytes->data, 0, size);
    memcpy(bytes->data, &header, sizeof(header));
    memcpy(bytes->data + PAGE_SIZE, &sub_header, sizeof(sub_header));
    if (notes->bytes->len) {
        memcpy(bytes->data + PAGE_SIZE + sizeof(sub_header),
               notes->bytes->data, notes->bytes->len);
    }
    return bytes;
}

/* --- one page --- */

/* Appends the page's data, as it is where that is no longer. */
static void deflate_page(DumpKdump *k, const uint8_t *page, KdumpPage *p)
{
    const uint8_t *data = page;

    deflateReset(&k->z);
    k->z.next_in = (uint8_t *)page;
    k->z.avail_in = PAGE_SIZE;
    k->z.next_out = k->deflated;
    k->z.avail_out = sizeof(k->deflated);
    *p = (KdumpPage) { .offset = k->data_at, .size = PAGE_SIZE };
    if (deflate(&k->z, Z_FINISH) == Z_STREAM_END && k->z.avail_out) {
        p->size = sizeof(k->deflated) - k->z.avail_out;
        p->flags = PAGE_ZLIB;
        data = k->deflated;
    }
    g_byte_array_append(k->data, data, p->size);
    k->data_at += p->size;
}

/* --- life --- */

/* Where everything is, which depends on how many pages there are. */
static void lay_out(DumpKdump *k, const DumpNotes *notes)
{
    uint64_t pages = 0;

    for (guint i = 0; i < k->pieces->len; i++) {
        const DumpPiece *p = &g_array_index(k->pieces, DumpPiece, i);

        pages += p->size / PAGE_SIZE;
        k->max_pfn = (p->addr + p->size) / PAGE_SIZE;
    }
    k->bitmap_at = PAGE_SIZE + QEMU_ALIGN_UP(sizeof(KdumpSubHeader) +
                                             notes->bytes->len, PAGE_SIZE);
    k->bitmap_size = QEMU_ALIGN_UP(DIV_ROUND_UP(k->max_pfn, 8), PAGE_SIZE);
    k->page_at = k->bitmap_at + 2 * k->bitmap_size;
    k->data_at = k->page_at + pages * sizeof(KdumpPage);
}

DumpKdump *dump_kdump_begin(DumpOutput *out, bool flat, const GArray *pieces,
                            const DumpNotes *notes, unsigned nr_cpus,
                            Error **errp)
{
    static const uint8_t zeros[PAGE_SIZE];
    DumpKdump *k = g_new0(DumpKdump, 1);
    g_autoptr(GByteArray) headers = NULL;

    k->out = out;
    k->flat = flat;
    k->pieces = pieces;
    k->descriptors = g_byte_array_new();
    k->data = g_byte_array_new();
    k->records = g_byte_array_new();
    if (deflateInit(&k->z, Z_BEST_SPEED) != Z_OK) {
        error_setg(errp, "zlib cannot be initialized");
        dump_kdump_free(k);
        return NULL;
    }
    lay_out(k, notes);
    if (flat) {
        begin_flat(k);
    }
    headers = make_headers(k, notes, MAX(nr_cpus, 1));
    deflate_page(k, zeros, &k->zero_page);
    if (!emit(k, 0, headers->data, headers->len, errp) ||
        !emit(k, k->zero_page.offset, k->data->data, k->data->len, errp) ||
        !end_step(k, errp)) {
        dump_kdump_free(k);
        return NULL;
    }
    return k;
}

void dump_kdump_free(DumpKdump *k)
{
    if (k) {
        deflateEnd(&k->z);
        g_byte_array_unref(k->descriptors);
        g_byte_array_unref(k->data);
        g_byte_array_unref(k->records);
        g_free(k);
    }
}

/* --- bitmaps --- */

/* Sets the bits of @piece that are in the @size bytes at @first of a bitmap. */
static void set_bits(uint8_t *bits, uint64_t first, uint64_t size,
                     const DumpPiece *piece)
{
    uint64_t from = MAX(piece->addr / PAGE_SIZE, first * 8);
    uint64_t to = MIN((piece->addr + piece->size) / PAGE_SIZE,
                      (first + size) * 8);

    for (uint64_t n = from; n < to; n++) {
        bits[n / 8 - first] |= 1 << (n % 8);
    }
}

bool dump_kdump_has_bitmap(const DumpKdump *k)
{
    return k->bitmap_done < k->bitmap_size;
}

bool dump_kdump_bitmap(DumpKdump *k, Error **errp)
{
    uint64_t size = MIN(BITMAP_STEP, k->bitmap_size - k->bitmap_done);
    g_autofree uint8_t *bits = g_malloc0(size);
    uint64_t at = k->bitmap_at + k->bitmap_done;

    for (guint i = 0; i < k->pieces->len; i++) {
        set_bits(bits, k->bitmap_done, size,
                 &g_array_index(k->pieces, DumpPiece, i));
    }
    k->bitmap_done += size;
    return emit(k, at, bits, size, errp) &&
           emit(k, at + k->bitmap_size, bits, size, errp) && end_step(k, errp);
}

/* --- pages --- */

bool dump_kdump_pages(DumpKdump *k, const uint8_t *buf, uint64_t size,
                      Error **errp)
{
    uint64_t data_at = k->data_at, page_at = k->page_at;

    g_assert(size % PAGE_SIZE == 0);
    g_byte_array_set_size(k->descriptors, 0);
    g_byte_array_set_size(k->data, 0);
    for (uint64_t at = 0; at < size; at += PAGE_SIZE) {
        KdumpPage p = k->zero_page;

        if (buf && !buffer_is_zero(buf + at, PAGE_SIZE)) {
            deflate_page(k, buf + at, &p);
        }
        g_byte_array_append(k->descriptors, (const uint8_t *)&p, sizeof(p));
    }
    k->page_at += k->descriptors->len;
    return emit(k, page_at, k->descriptors->data, k->descriptors->len, errp) &&
           emit(k, data_at, k->data->data, k->data->len, errp) &&
           end_step(k, errp);
}

bool dump_kdump_end(DumpKdump *k, Error **errp)
{
    static const FlatRecord end = { UINT64_MAX, UINT64_MAX };

    return !k->flat || dump_output_write(k->out, (const uint8_t *)&end,
                                         sizeof(end), errp);
}
