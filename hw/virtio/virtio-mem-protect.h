/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem, protect=on: unplugged blocks are guarded (exec/ram-guard.h), so
 * that a guest that touches them cannot make the host allocate memory for
 * them. Each change of what is plugged changes what is guarded; a violation is
 * reported by the event MEMORY_PROTECT_VIOLATION {id, qom-path, address, write,
 * count, action} and by a message, and may stop the VM.
 *
 * A NULL VirtIOMEMProtect stands for protect=off. Big lock held; offsets and
 * sizes are multiples of the block size.
 */
#ifndef HW_VIRTIO_VIRTIO_MEM_PROTECT_H
#define HW_VIRTIO_VIRTIO_MEM_PROTECT_H

#include "exec/ram-discard.h"
#include "qapi/visitor.h"

#define VIRTIO_MEM_PROTECT_PROP "protect"
#define VIRTIO_MEM_PROTECT_ACTION_PROP "protect-action"

/* What a violation does to the VM. */
typedef enum VirtIOMEMProtectAction {
    VIRTIO_MEM_PROTECT_CONTINUE,
    VIRTIO_MEM_PROTECT_STOP,              /* run state "paused" */
    VIRTIO_MEM_PROTECT__MAX,
} VirtIOMEMProtectAction;
extern const QEnumLookup VirtIOMEMProtectAction_lookup;

typedef struct VirtIOMEM VirtIOMEM;
typedef struct VirtIOMEMProtect VirtIOMEMProtect;

/* Whether the properties fit each other; false and *errp. */
bool virtio_mem_protect_check(const VirtIOMEM *vmem, Error **errp);

/* Protects all of @mr, the region of @vmem, nothing of which is plugged or
 * allocated. From the first change on, @vmem->discard is valid. NULL and *errp. */
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
