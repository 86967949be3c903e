/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem (virtio 1.2, section 5.15): a device that owns one RAM region and
 * plugs and unplugs blocks of it as the guest asks, up to a requested size that
 * is set over QMP. It is the RamDiscardMgr of that region: consumers such as
 * VFIO follow it only through that interface, and it knows none of them.
 *
 * All under the big lock. Sizes and addresses are bytes.
 */
#ifndef HW_VIRTIO_VIRTIO_MEM_H
#define HW_VIRTIO_VIRTIO_MEM_H

#include <linux/virtio_mem.h>

#include "exec/ram-discard.h"
#include "hw/mem/memory-device.h"
#include "hw/qdev-properties.h"
#include "hw/virtio/virtio.h"
#include "qapi/visitor.h"
#include "qemu/notify.h"
#include "qemu/timer.h"
#include "sysemu/hostmem.h"

#define TYPE_VIRTIO_MEM "virtio-mem"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOMEM, VIRTIO_MEM)

#define VIRTIO_MEM_MEMDEV_PROP "memdev"
#define VIRTIO_MEM_NODE_PROP "node"
#define VIRTIO_MEM_ADDR_PROP "memaddr"
#define VIRTIO_MEM_SIZE_PROP "size"
#define VIRTIO_MEM_REQUESTED_SIZE_PROP "requested-size"
#define VIRTIO_MEM_BLOCK_SIZE_PROP "block-size"
#define VIRTIO_MEM_UNPLUGGED_INACCESSIBLE_PROP "unplugged-inaccessible"
#define VIRTIO_MEM_PREALLOC_PROP "prealloc"
#define VIRTIO_MEM_POPULATE_RATE_PROP "populate-rate"
#define VIRTIO_MEM_PROTECT_PROP "protect"
#define VIRTIO_MEM_PROTECT_ACTION_PROP "protect-action"

#define VIRTIO_MEM_QUEUE_SIZE 128

/* What a touch of what is not plugged does to the VM. */
typedef enum VirtIOMEMProtectAction {
    VIRTIO_MEM_PROTECT_CONTINUE,
    VIRTIO_MEM_PROTECT_STOP,              /* run state "paused" */
    VIRTIO_MEM_PROTECT__MAX,
} VirtIOMEMProtectAction;
extern const QEnumLookup VirtIOMEMProtectAction_lookup;

typedef struct VirtIOMEMProtect VirtIOMEMProtect;

/* A request in the host's byte order, its range as an offset. */
typedef struct VirtIOMEMRequest {
    uint16_t type;                    /* VIRTIO_MEM_REQ_* */
    uint64_t gpa;
    uint64_t offset;                  /* into the region */
    uint64_t size;
} VirtIOMEMRequest;

/*
 * Requests of one kick that have been taken from the ring. Their responses are
 * published together. The last nr_joined of them passed all checks, all plug or
 * all unplug, and together are one range; they are carried out by one populate
 * or discard.
 */
typedef struct VirtIOMEMBatch {
    VirtQueueElement *elems[VIRTIO_MEM_QUEUE_SIZE];
    VirtIOMEMRequest plugs[VIRTIO_MEM_QUEUE_SIZE];    /* those joined */
    unsigned nr_elems;
    unsigned nr_joined;
    uint16_t joined_type;             /* VIRTIO_MEM_REQ_PLUG or _UNPLUG */
    bool joins_plugs;                 /* until several in one were refused */
    uint64_t joined_offset;
    uint64_t joined_size;             /* 0: none are */
    int64_t joined_begun;             /* plugs: when the first did, as plugged */
    uint64_t generation;              /* of the memory map, when it began */
    int64_t plugged;                  /* when the last request ended, if that was
                                         a plug, g_get_monotonic_time(); else 0 */
} VirtIOMEMBatch;

struct VirtIOMEM {
    VirtIODevice parent_obj;

    /* Properties. */
    HostMemoryBackend *memdev;
    uint32_t node;                    /* NUMA node, an ACPI proximity domain */
    uint64_t addr;                    /* guest physical, of the region */
    uint64_t block_size;              /* 0: auto, chosen when realized */
    OnOffAuto unplugged_inaccessible; /* auto is on */
    bool prealloc;                    /* back blocks before they are plugged;
                                         huge pages always are */
    uint64_t populate_rate;           /* bytes a second; 0: not limited; may
                                         change at any time */
    bool protect_on;                  /* guard what is not plugged */
    VirtIOMEMProtectAction protect_action;

    /* What the guest sees in the config space. The plugged size is
     * blocks.populated. */
    uint64_t requested_size;
    uint64_t usable_region_size;      /* from the start of the region */

    /* The host's. */
    VirtQueue *vq;
    VirtIOMEMBatch batch;
    QEMUTimer *pace_timer;            /* runs while the queue rests; NULL: it never
                                         did */
    RamDiscardBlocks blocks;          /* valid while realized */
    uint64_t nr_requests;             /* of the guest's so far, refused or not */
    uint64_t nr_failed_resets;
    const MemorySizeOwner *size_owner;    /* NULL: anybody requests sizes */
    VirtIOMEMProtect *protect;        /* NULL: off */
    NotifierList size_change_notifiers;   /* told of the plugged size */
};

/* The RAM region of a @vmem that has a memdev; else NULL and *errp. */
MemoryRegion *virtio_mem_get_memory_region(VirtIOMEM *vmem, Error **errp);
/* The block size in force, or that will be when @vmem is realized. */
uint64_t virtio_mem_get_block_size(const VirtIOMEM *vmem);
/* Requests @size; whoever asks must be the owner of the size. false: *errp. */
bool virtio_mem_request_size(VirtIOMEM *vmem, uint64_t size, Error **errp);
/* What query-memory-devices tells of it; transfer full. @id: the device's. */
JsonObject *virtio_mem_device_info(VirtIOMEM *vmem, const char *id);

/* --- between the files of the device --- */

/* virtio-mem-request.c: handles all requests that are in the queue; its kick
 * handler. */
void virtio_mem_handle_request(VirtIODevice *vdev, VirtQueue *vq);
/* virtio-mem-size.c: grows the usable region to suit the requested size; shrinks
 * it, too, if @can_shrink. */
void virtio_mem_resize_usable_region(VirtIOMEM *vmem, bool can_shrink);
/* Unplugs all and shrinks the usable region. 0, or -errno: nothing changed. */
int virtio_mem_unplug_all(VirtIOMEM *vmem);
/* Tells the notifiers if the plugged size differs from @old_size. */
void virtio_mem_notify_size_change(VirtIOMEM *vmem, uint64_t old_size);
/*
 * virtio-mem-plug.c: before a range that is wholly unplugged is populated: lets
 * the guest touch it, and has the host back it if that is asked for. 0 or -errno:
 * nothing has changed, and the reason is kept; to try again later makes sense.
 */
int virtio_mem_prepare_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size);
/*
 * Whether adjacent plugs are to be carried out as one, and each by itself if that
 * is refused: consumers get less to do by it. Not if it could be much work, in
 * vain, as to back memory is, or to map it block by block; nor if each plug has
 * to wait for its turn (populate-rate=).
 */
bool virtio_mem_joins_plugs(const VirtIOMEM *vmem);
/* Plugs a range, in the case above, that is wholly unplugged. 0; or -errno: nothing
 * has changed, and nobody is told why. */
int virtio_mem_try_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size);
/* The reverse, for a range that was not populated after all. */
void virtio_mem_cancel_plug(VirtIOMEM *vmem, uint64_t offset, uint64_t size);
/* Whether memory is backed before it is plugged. */
bool virtio_mem_backs_plugs(const VirtIOMEM *vmem);
/* Warns if the memdev was prepared for memory that does not come and go. */
void virtio_mem_warn_of_backend(const VirtIOMEM *vmem);
/* virtio-mem-pace.c: whether requests are left in the queue for now. They are handled
 * when that is over, if the VM runs. */
static inline bool virtio_mem_rests(const VirtIOMEM *vmem)
{
    return vmem->pace_timer && timer_pending(vmem->pace_timer);
}
/* Has the queue rest, as @size bytes were populated, and there is a populate_rate. */
void virtio_mem_pace(VirtIOMEM *vmem, uint64_t size);
/* For good, as the device leaves. */
void virtio_mem_stop_pacing(VirtIOMEM *vmem);
void virtio_mem_add_rate_property(ObjectClass *klass);
/* virtio-mem-block-size.c: the size of a transparent huge page. */
uint64_t virtio_mem_thp_size(void);
/* What smaller blocks would split: a page of the memdev, or a huge one. */
uint64_t virtio_mem_least_block_size(const VirtIOMEM *vmem);
/* Of the DMA mappings of a container to come, those that can be shared by new
 * devices when managed regions may use @used; 0: nothing is left to share. */
uint64_t virtio_mem_mapping_share(uint64_t used);
/* The smallest @least << n of which @share blocks hold @size bytes, not 0;
 * @least if @share is 0; 0 if there is none. @least is a power of two. */
uint64_t virtio_mem_fitting_block_size(uint64_t least, uint64_t size,
                                       uint64_t share);
/* What block-size=auto is for @vmem, which has a memdev and is not realized;
 * 0: none will do, *errp says why. */
uint64_t virtio_mem_auto_block_size(const VirtIOMEM *vmem, Error **errp);

/* --- virtio-mem-protect.c: NULL stands for protect=off --- */

/* Whether the properties fit each other; false and *errp. */
bool virtio_mem_protect_check(const VirtIOMEM *vmem, Error **errp);

/* Protects all of @mr, the region of @vmem, nothing of which is plugged or
 * allocated. From the first change on, @vmem->blocks is valid. NULL and *errp. */
VirtIOMEMProtect *virtio_mem_protect_new(VirtIOMEM *vmem, MemoryRegion *mr,
                                         Error **errp);
void virtio_mem_protect_free(VirtIOMEMProtect *protect);

/*
 * Before an unplugged range is plugged, and first of all, as whoever populates
 * or maps it touches it: lets everybody in. 0 or -errno (noted as a refusal of
 * the state), then nothing has changed.
 */
int virtio_mem_protect_lift(VirtIOMEMProtect *protect, uint64_t offset,
                            uint64_t size);
/* The plug came to nothing: protects the range again. Its memory is discarded
 * afterwards. */
void virtio_mem_protect_restore(VirtIOMEMProtect *protect, uint64_t offset,
                                uint64_t size);
/* A RamDiscardFn, @opaque a VirtIOMEMProtect: discards the memory and protects
 * it from then on. */
int virtio_mem_protect_discard(void *opaque, uint64_t offset, uint64_t size);

#endif
