/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of virtqueues, and where the guest's buffers are in this process.
 * Used by the rings' request path (virtqueue-ring.c), whatever the ring's
 * layout: a chain's buffers are added one by one, straight to the element that
 * the device gets.
 *
 * A queue remembers the runs of guest memory that it has met. They hold no
 * reference: they are good for one generation of the memory map, and so are the
 * segments of an element. Nothing is allocated once the free list has as many
 * elements as the device holds at a time, unless they have very many segments.
 */
#include "qemu/osdep.h"

#include "virtqueue-internal.h"
#include "qemu/units.h"

/* --- guest memory --- */

static const MemoryRun *look_up_run(VirtQueue *vq, hwaddr addr)
{
    MemoryRun run, *kept;

    if (!address_space_find_run(vq->vdev->dma_as, addr, &run)) {
        return NULL;
    }
    if (vq->nr_runs < VIRTQUEUE_RUNS) {
        kept = &vq->runs[vq->nr_runs++];
    } else {
        kept = &vq->runs[vq->oldest_run];
        vq->oldest_run = (vq->oldest_run + 1) % VIRTQUEUE_RUNS;
    }
    *kept = run;
    return kept;
}

const MemoryRun *virtqueue_run(VirtQueue *vq, hwaddr addr, hwaddr len)
{
    const MemoryRun *run = virtqueue_known_run(vq, addr, len);

    return run ?: look_up_run(vq, addr);
}

/* --- slots --- */

static VirtQueueSlot *slot_of(const void *elem)
{
    return (VirtQueueSlot *)elem - 1;
}

static size_t elem_space(size_t sz)
{
    return QEMU_ALIGN_UP(sz, sizeof(VirtQueueSlot));
}

static VirtQueueSlot *slot_new(size_t sz, unsigned int capacity)
{
    VirtQueueSlot *slot = g_malloc(sizeof(*slot) + elem_space(sz) + capacity *
                                   (sizeof(struct iovec) + sizeof(hwaddr)));

    slot->elem_size = sz;
    slot->capacity = capacity;
    slot->nr_pins = 0;
    slot->pins = NULL;
    return slot;
}

static void slot_free(VirtQueueSlot *slot)
{
    g_free(slot->pins);
    g_free(slot);
}

static VirtQueueSlot *slot_take(VirtQueue *vq, size_t sz)
{
    VirtQueueSlot *slot = vq->free_slots;

    if (slot && slot->elem_size == sz) {
        vq->free_slots = slot->next;
        return slot;
    }
    return slot_new(sz, VIRTQUEUE_POOL_SEGS);
}

static void slot_give_back(VirtQueue *vq, VirtQueueSlot *slot)
{
    if (slot->capacity == VIRTQUEUE_POOL_SEGS) {
        slot->next = vq->free_slots;
        vq->free_slots = slot;
    } else {
        slot_free(slot);
    }
}

void virtqueue_free_element(VirtQueue *vq, void *elem)
{
    if (elem) {
        g_assert(!slot_of(elem)->nr_pins);
        slot_give_back(vq, slot_of(elem));
    }
}

void virtqueue_free_slots(VirtQueue *vq)
{
    while (vq->free_slots) {
        VirtQueueSlot *slot = vq->free_slots;

        vq->free_slots = slot->next;
        slot_free(slot);
    }
}

/* --- pins --- */

void virtqueue_pin_element(VirtQueue *vq, const VirtQueueElement *elem)
{
    VirtQueueSlot *slot = slot_of(elem);
    unsigned int n = elem->out_num + elem->in_num;

    g_assert(vq->map_generation == memory_map_generation());
    g_assert(!slot->nr_pins);
    if (!slot->pins) {
        slot->pins = g_new(MemoryPin, slot->capacity);
    }
    /* All segments, and their addresses, are in one array. */
    for (unsigned int i = 0; i < n; i++) {
        hwaddr addr = elem->out_addr[i], len = elem->out_sg[i].iov_len;

        memory_pin(&slot->pins[i], virtqueue_run(vq, addr, len), addr, len);
    }
    slot->nr_pins = n;
}

void virtqueue_unpin_element(const VirtQueueElement *elem)
{
    VirtQueueSlot *slot = slot_of(elem);

    for (; slot->nr_pins; slot->nr_pins--) {
        memory_unpin(&slot->pins[slot->nr_pins - 1]);
    }
}

/* --- reading a chain --- */

static void use_slot(VirtQueueReader *r, VirtQueueSlot *slot)
{
    r->slot = slot;
    r->sg = (struct iovec *)((char *)(slot + 1) + elem_space(slot->elem_size));
    r->addr = (hwaddr *)(r->sg + slot->capacity);
}

void virtqueue_element_begin(VirtQueueReader *r, VirtQueue *vq, size_t sz)
{
    r->vq = vq;
    r->num = 0;
    r->in_num = 0;
    r->bytes = 0;
    use_slot(r, slot_take(vq, sz));
}

void virtqueue_element_abandon(VirtQueueReader *r)
{
    slot_give_back(r->vq, r->slot);
}

VirtQueueElement *virtqueue_element_end(VirtQueueReader *r, unsigned int index)
{
    VirtQueueElement *elem = (VirtQueueElement *)(r->slot + 1);

    unsigned int out_num = r->num - r->in_num;

    elem->index = index;
    elem->out_num = out_num;
    elem->in_num = r->in_num;
    elem->out_sg = r->sg;
    elem->in_sg = r->sg + out_num;
    elem->out_addr = r->addr;
    elem->in_addr = r->addr + out_num;
    return elem;
}

/* Goes on in a slot that has room for as many segments as there may be. */
static void grow(VirtQueueReader *r)
{
    const struct iovec *sg = r->sg;
    const hwaddr *addr = r->addr;
    VirtQueueSlot *small = r->slot;

    use_slot(r, slot_new(small->elem_size, VIRTQUEUE_MAX_SIZE));
    memcpy(r->sg, sg, small->capacity * sizeof(*sg));
    memcpy(r->addr, addr, small->capacity * sizeof(*addr));
    slot_give_back(r->vq, small);
}

/* There is room. */
static inline void add_segment(VirtQueueReader *r, const MemoryRun *run,
                               hwaddr addr, hwaddr len, bool is_write)
{
    unsigned int n = r->num++;

    r->in_num += is_write;
    r->sg[n].iov_base = run->host + (addr - run->first);
    r->sg[n].iov_len = len;
    r->addr[n] = addr;
}

/* A buffer that is in several pieces of RAM makes several segments. */
static bool add_pieces(VirtQueueReader *r, hwaddr addr, hwaddr len,
                       bool is_write)
{
    VirtQueue *vq = r->vq;

    while (len) {
        const MemoryRun *run = virtqueue_run(vq, addr, len);
        hwaddr piece;

        if (!run || (is_write && run->readonly)) {
            virtio_error(vq->vdev, "queue %u: buffer at 0x%" PRIx64 " is not "
                         "in RAM", vq->index, addr);
            return false;
        }
        if (r->num == VIRTQUEUE_MAX_SIZE) {
            virtio_error(vq->vdev, "queue %u: more than %u segments",
                         vq->index, VIRTQUEUE_MAX_SIZE);
            return false;
        }
        if (r->num == r->slot->capacity) {
            grow(r);
        }
        piece = MIN(len - 1, run->last - addr) + 1;
        add_segment(r, run, addr, piece, is_write);
        addr += piece;
        len -= piece;
    }
    return true;
}

/* Says why the driver may not add such a buffer, wherever it is. */
static bool refuse_buffer(VirtQueueReader *r, hwaddr addr, uint32_t len)
{
    const char *wrong = "a buffer to read after one to write";

    if (!len) {
        wrong = "a buffer without bytes";
    } else if (addr + len < addr) {
        wrong = "a buffer beyond the end of memory";
    } else if (r->bytes > 4 * GiB) {
        wrong = "a chain of more than 4 GiB";
    }
    virtio_error(r->vq->vdev, "queue %u: %s", r->vq->index, wrong);
    return false;
}

bool virtqueue_element_add(VirtQueueReader *r, hwaddr addr, uint32_t len,
                           bool is_write)
{
    const MemoryRun *run;

    r->bytes += len;
    if (!len || addr + len < addr || r->bytes > 4 * GiB ||
        (!is_write && r->in_num)) {
        return refuse_buffer(r, addr, len);
    }
    run = virtqueue_known_run(r->vq, addr, len);
    if (!run || (is_write && run->readonly) || r->num == r->slot->capacity) {
        return add_pieces(r, addr, len, is_write);
    }
    add_segment(r, run, addr, len, is_write);
    return true;
}
