/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfi.pflash01 (hw/block/flash.h), after Intel's common flash interface and its
 * command set 1. The board makes up to two.
 *
 * The chip is a container of two regions: its memory, which answers reads in array
 * mode at full speed and hands writes over, and over it one that answers reads in
 * all other modes. The guest says what it likes, in any order: a sequence that is
 * none is a status bit, and the chip must never be left in between.
 */
#include "qemu/osdep.h"

#include "block/block.h"
#include "hw/block/flash.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "qapi/error.h"
#include "qemu/error-report.h"

/* Commands. */
enum {
    CMD_PROGRAM_OTHER = 0x10,             /* the same as 0x40 */
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_CONFIRM = 0xd0,
    CMD_PROGRAM_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff,
};
#define LOCK_BLOCK 0x01                   /* after CMD_LOCK, beside CONFIRM */

/* Status. Cleared, it has no bit, not even the one for ready: that is how firmware
 * tells the chip from ROM. */
#define STATUS_READY 0x80
#define STATUS_ERASE_ERROR 0x20
#define STATUS_PROGRAM_ERROR 0x10
#define STATUS_SEQUENCE_ERROR (STATUS_ERASE_ERROR | STATUS_PROGRAM_ERROR)
#define STATUS_PROTECTED 0x02

#define BUFFER_SIZE 256
#define ID_MANUFACTURER 0x89              /* Intel */
#define ID_DEVICE 0x18

/* What the next write is. */
typedef enum FlashStep {
    STEP_COMMAND,
    STEP_PROGRAM,                         /* the byte */
    STEP_ERASE,                           /* the confirmation */
    STEP_LOCK,
    STEP_BUFFER_COUNT,                    /* of bytes, less one */
    STEP_BUFFER_DATA,
    STEP_BUFFER_CONFIRM,
} FlashStep;

/* What is read. */
typedef enum FlashView {
    VIEW_ARRAY,
    VIEW_STATUS,
    VIEW_ID,
    VIEW_QUERY,
} FlashView;

struct PFlashCFI01 {
    SysBusDevice parent_obj;

    char *drive;
    BlockBackend *blk;
    uint64_t size;

    FlashStep step;
    FlashView view;
    uint8_t status;
    uint64_t buffer_start;                /* in the chip; bytes it gets, from there */
    unsigned buffer_len;
    unsigned buffer_got;
    uint8_t buffer[BUFFER_SIZE];

    MemoryRegion chip;
    MemoryRegion array;
    MemoryRegion other;                   /* answers if not in array mode */
    uint64_t failed_writes;
};

/* --- what is read --- */

static void set_view(PFlashCFI01 *s, FlashView view)
{
    s->view = view;
    memory_region_set_enabled(&s->other, view != VIEW_ARRAY);
}

static uint8_t read_id(uint64_t offset)
{
    switch (offset & 0xff) {
    case 0:
        return ID_MANUFACTURER;
    case 1:
        return ID_DEVICE;
    default:
        return 0;                         /* no block is locked */
    }
}

/* The table of the common flash interface, a byte at each address. */
static uint8_t read_query(const PFlashCFI01 *s, uint64_t offset)
{
    uint64_t blocks = s->size / FLASH_BLOCK_SIZE;
    const uint8_t table[] = {
        [0x10] = 'Q', 'R', 'Y',
        [0x13] = 1, 0,                    /* command set */
        [0x15] = 0x31, 0,                 /* where its own table is */
        [0x1b] = 0x27, 0x36,              /* supply: 2.7 V to 3.6 V */
        [0x1f] = 7, 7, 10, 0,             /* typical times, as powers of 2 */
        [0x23] = 4, 4, 4, 0,              /* how many times that at most */
        [0x27] = 63 - __builtin_clzll(s->size),
        [0x28] = 0, 0,                    /* x8 */
        [0x2a] = 63 - __builtin_clzll((uint64_t)BUFFER_SIZE), 0,
        [0x2c] = 1,                       /* kinds of blocks: how many, how large */
        [0x2d] = blocks - 1, (blocks - 1) >> 8,
        [0x2f] = FLASH_BLOCK_SIZE / 256 & 0xff, FLASH_BLOCK_SIZE / 256 >> 8,
        [0x31] = 'P', 'R', 'I', '1', '0',
    };

    offset &= 0xff;
    return offset < sizeof(table) ? table[offset] : 0;
}

static uint64_t flash_read(void *opaque, hwaddr addr, unsigned size)
{
    PFlashCFI01 *s = opaque;

    switch (s->view) {
    case VIEW_STATUS:
        return s->status;
    case VIEW_ID:
        return read_id(addr);
    case VIEW_QUERY:
        return read_query(s, addr);
    default:
        return *pflash_cfi01_bytes(s, addr);
    }
}

/* --- programming and erasing --- */

static void request_done(BlockRequest *req, int ret)
{
    req->ret = ret;
}

/* Reads or writes @bytes at @offset, both as the image is aligned; -errno. */
static int transfer(PFlashCFI01 *s, BlockOp op, uint64_t offset, void *data,
                    uint64_t bytes)
{
    struct iovec iov = { data, bytes };
    BlockRequest req = {
        .op = op,
        .offset = offset,
        .bytes = bytes,
        .iov = &iov,
        .niov = 1,
        .done = request_done,
    };

    blk_submit(s->blk, &req);
    blk_kick(s->blk);
    blk_drain(s->blk);
    return req.ret;
}

/* Makes [@offset, @offset + @len), within a block, what @data says, in the image
 * first; false: the chip is as it was. */
static bool change(PFlashCFI01 *s, uint64_t offset, const uint8_t *data,
                   size_t len)
{
    uint64_t block = ROUND_DOWN(offset, (uint64_t)FLASH_BLOCK_SIZE);
    uint8_t *memory = (uint8_t *)memory_region_get_ram_ptr(&s->array);
    g_autofree uint8_t *bytes = g_memdup2(memory + block, FLASH_BLOCK_SIZE);
    int ret;

    memcpy(bytes + (offset - block), data, len);
    ret = transfer(s, BLOCK_WRITE, block, bytes, FLASH_BLOCK_SIZE);
    if (ret < 0) {
        warn_report_counted(&s->failed_writes, "flash '%s': cannot be written: "
                            "%s", s->drive, strerror(-ret));
        return false;
    }
    memcpy(memory + offset, data, len);
    return true;
}

/* @error: the bit for what could not be done. */
static void finish(PFlashCFI01 *s, bool done, uint8_t error)
{
    s->status |= STATUS_READY | (done ? 0 : error);
    s->step = STEP_COMMAND;
    set_view(s, VIEW_STATUS);
}

/* Programming clears bits, and sets none. */
static void program(PFlashCFI01 *s, uint64_t offset, uint8_t *data, size_t len)
{
    bool protected = blk_is_read_only(s->blk);
    const uint8_t *old = pflash_cfi01_bytes(s, offset);

    for (size_t i = 0; i < len; i++) {
        data[i] &= old[i];
    }
    finish(s, !protected && change(s, offset, data, len),
           STATUS_PROGRAM_ERROR | (protected ? STATUS_PROTECTED : 0));
}

static void erase(PFlashCFI01 *s, uint64_t offset)
{
    bool protected = blk_is_read_only(s->blk);
    uint8_t ones[FLASH_BLOCK_SIZE];

    memset(ones, 0xff, sizeof(ones));
    offset = ROUND_DOWN(offset, (uint64_t)FLASH_BLOCK_SIZE);
    finish(s, !protected && change(s, offset, ones, sizeof(ones)),
           STATUS_ERASE_ERROR | (protected ? STATUS_PROTECTED : 0));
}

/* --- sequences --- */

static void start_sequence(PFlashCFI01 *s, FlashStep step)
{
    s->step = step;
    s->status |= STATUS_READY;
    set_view(s, VIEW_STATUS);
}

static void start_command(PFlashCFI01 *s, uint8_t command)
{
    switch (command) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_OTHER:
        start_sequence(s, STEP_PROGRAM);
        break;
    case CMD_ERASE:
        start_sequence(s, STEP_ERASE);
        break;
    case CMD_LOCK:
        start_sequence(s, STEP_LOCK);
        break;
    case CMD_PROGRAM_BUFFER:
        start_sequence(s, STEP_BUFFER_COUNT);
        break;
    case CMD_CLEAR_STATUS:
        s->status = 0;
        set_view(s, VIEW_ARRAY);
        break;
    case CMD_READ_STATUS:
        set_view(s, VIEW_STATUS);
        break;
    case CMD_READ_ID:
        set_view(s, VIEW_ID);
        break;
    case CMD_QUERY:
        set_view(s, VIEW_QUERY);
        break;
    default:                              /* CMD_READ_ARRAY, or none */
        set_view(s, VIEW_ARRAY);
        break;
    }
}

static void lock(PFlashCFI01 *s, uint8_t value)
{
    finish(s, value == CMD_CONFIRM || value == LOCK_BLOCK,
           STATUS_SEQUENCE_ERROR);
}

static void buffer_count(PFlashCFI01 *s, uint8_t value)
{
    s->buffer_len = value + 1U;
    s->buffer_got = 0;
    memset(s->buffer, 0xff, sizeof(s->buffer));
    s->step = STEP_BUFFER_DATA;
}

/* The first byte says where: all must be in one piece of the buffer's size. */
static void buffer_data(PFlashCFI01 *s, uint64_t offset, uint8_t value)
{
    if (!s->buffer_got) {
        s->buffer_start = ROUND_DOWN(offset, (uint64_t)BUFFER_SIZE);
    }
    if (offset - s->buffer_start >= BUFFER_SIZE) {
        finish(s, false, STATUS_SEQUENCE_ERROR);
        return;
    }
    s->buffer[offset - s->buffer_start] = value;
    if (++s->buffer_got == s->buffer_len) {
        s->step = STEP_BUFFER_CONFIRM;
    }
}

static void flash_write(void *opaque, hwaddr addr, uint64_t val, unsigned size)
{
    PFlashCFI01 *s = opaque;
    uint8_t value = val;

    switch (s->step) {
    case STEP_COMMAND:
        start_command(s, value);
        break;
    case STEP_PROGRAM:
        program(s, addr, &value, 1);
        break;
    case STEP_ERASE:
        if (value == CMD_CONFIRM) {
            erase(s, addr);
        } else {
            finish(s, false, STATUS_SEQUENCE_ERROR);
        }
        break;
    case STEP_LOCK:
        lock(s, value);
        break;
    case STEP_BUFFER_COUNT:
        buffer_count(s, value);
        break;
    case STEP_BUFFER_DATA:
        buffer_data(s, addr, value);
        break;
    case STEP_BUFFER_CONFIRM:
        if (value == CMD_CONFIRM) {
            program(s, s->buffer_start, s->buffer, sizeof(s->buffer));
        } else {
            finish(s, false, STATUS_SEQUENCE_ERROR);
        }
        break;
    }
}

static const MemoryRegionOps flash_ops = {
    .read = flash_read,
    .write = flash_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* --- life --- */

static void pflash_reset(DeviceState *dev)
{
    PFlashCFI01 *s = PFLASH_CFI01(dev);

    s->step = STEP_COMMAND;
    s->status = 0;
    set_view(s, VIEW_ARRAY);
}

static bool attach(PFlashCFI01 *s, Error **errp)
{
    g_autofree char *path = object_get_canonical_path(OBJECT(s));

    if (!s->drive) {
        error_setg(errp, "drive= is missing: it names the image of the flash");
        return false;
    }
    s->blk = blk_attach(s->drive, path, false, NULL, NULL, errp);
    if (!s->blk) {
        return false;
    }
    if (!blk_share(s->blk, false, errp)) {
        g_clear_pointer(&s->blk, blk_detach);
        return false;
    }
    s->size = blk_is_served(s->blk) ? 0 : blk_size(s->blk);
    if (!s->size || s->size % FLASH_BLOCK_SIZE ||
        s->size % blk_request_alignment(s->blk)) {
        error_setg(errp, "drive=%s: flash is a raw image of a multiple of %d "
                   "bytes; this has %" PRIu64, s->drive, FLASH_BLOCK_SIZE,
                   s->size);
        return false;
    }
    return true;
}

static bool load(PFlashCFI01 *s, Error **errp)
{
    int ret = transfer(s, BLOCK_READ, 0, memory_region_get_ram_ptr(&s->array),
                       s->size);

    if (ret < 0) {
        error_setg_errno(errp, -ret, "drive=%s: the flash's image cannot be "
                         "read", s->drive);
    }
    return ret >= 0;
}

static void pflash_realize(DeviceState *dev, Error **errp)
{
    PFlashCFI01 *s = PFLASH_CFI01(dev);
    Object *owner = OBJECT(s);

    if (!attach(s, errp) ||
        !memory_region_init_rom_device(&s->array, owner, &flash_ops, s,
                                       "pflash-array", s->size, errp)) {
        g_clear_pointer(&s->blk, blk_detach);
        return;
    }
    if (!load(s, errp)) {
        object_unparent(OBJECT(&s->array));
        g_clear_pointer(&s->blk, blk_detach);
        return;
    }
    memory_region_init(&s->chip, owner, "pflash", s->size);
    memory_region_init_io(&s->other, owner, &flash_ops, s, "pflash-commands",
                          s->size);
    memory_region_set_enabled(&s->other, false);
    memory_region_add_subregion(&s->chip, 0, &s->array);
    memory_region_add_subregion_overlap(&s->chip, 0, &s->other, 1);
}

static void pflash_unrealize(DeviceState *dev)
{
    PFlashCFI01 *s = PFLASH_CFI01(dev);

    memory_region_del_subregion(&s->chip, &s->other);
    memory_region_del_subregion(&s->chip, &s->array);
    object_unparent(OBJECT(&s->other));
    object_unparent(OBJECT(&s->array));
    object_unparent(OBJECT(&s->chip));
    g_clear_pointer(&s->blk, blk_detach);
}

static const Property pflash_properties[] = {
    DEFINE_PROP_STRING("drive", PFlashCFI01, drive),
    DEFINE_PROP_END_OF_LIST(),
};

static void pflash_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = pflash_realize;
    dc->unrealize = pflash_unrealize;
    dc->reset = pflash_reset;
    device_class_set_props(dc, pflash_properties);
}

static const TypeInfo pflash_types[] = {
    {
        .name = TYPE_PFLASH_CFI01,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(PFlashCFI01),
        .class_init = pflash_class_init,
    },
};
DEFINE_TYPES(pflash_types)

/* --- for the board --- */

MemoryRegion *pflash_cfi01_get_memory(PFlashCFI01 *flash)
{
    return &flash->chip;
}

const uint8_t *pflash_cfi01_bytes(PFlashCFI01 *flash, uint64_t offset)
{
    return (uint8_t *)memory_region_get_ram_ptr(&flash->array) + offset;
}
