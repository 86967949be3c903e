/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one list of tracepoints. From it come the functions trace_NAME()
 * (qemu/trace.h), the probes that perf and bpftrace see, and what -trace knows
 * (util/trace.c). Names are QEMU's where it has the same event.
 *
 * TRACE_EVENT(NAME, (PARAMETERS), (ARGUMENTS), FORMAT)
 * declares one: the parameters with their types (integers and strings; at most
 * twelve), the same without, and how -trace prints them. Events that belong
 * together stand together, and begin with the same word, for patterns.
 */
#ifndef QEMU_TRACE_EVENTS_H
#define QEMU_TRACE_EVENTS_H

#define TRACE_EVENTS(TRACE_EVENT)                                             \
    /* softmmu/ram-discard.c: what managers do, and who objects */            \
    TRACE_EVENT(ram_discard_populate,                                         \
        (const char *region, uint64_t offset, uint64_t size),                 \
        (region, offset, size),                                               \
        "region %s offset 0x%" PRIx64 " size 0x%" PRIx64)                     \
    TRACE_EVENT(ram_discard_object,                                           \
        (const char *region, const char *kind, uint64_t offset,               \
         uint64_t size),                                                      \
        (region, kind, offset, size),                                         \
        "region %s by %s offset 0x%" PRIx64 " size 0x%" PRIx64)               \
    TRACE_EVENT(ram_discard_discard,                                          \
        (const char *region, uint64_t offset, uint64_t size),                 \
        (region, offset, size),                                               \
        "region %s offset 0x%" PRIx64 " size 0x%" PRIx64)                     \
    TRACE_EVENT(ram_discard_discard_all,                                      \
        (const char *region, uint64_t offset, uint64_t size),                 \
        (region, offset, size),                                               \
        "region %s from offset 0x%" PRIx64 " size 0x%" PRIx64)                \
    TRACE_EVENT(ram_discard_register_listener,                                \
        (const char *region, const char *kind),                               \
        (region, kind),                                                       \
        "region %s listener %s")                                              \
    TRACE_EVENT(ram_discard_unregister_listener,                              \
        (const char *region, const char *kind),                               \
        (region, kind),                                                       \
        "region %s listener %s")                                              \
    /* hw/virtio: the guest's requests; @index tells which response is whose */ \
    TRACE_EVENT(virtio_mem_plug_request,                                      \
        (unsigned int index, uint64_t offset, uint64_t size),                 \
        (index, offset, size),                                                \
        "index %u offset 0x%" PRIx64 " size 0x%" PRIx64)                      \
    TRACE_EVENT(virtio_mem_unplug_request,                                    \
        (unsigned int index, uint64_t offset, uint64_t size),                 \
        (index, offset, size),                                                \
        "index %u offset 0x%" PRIx64 " size 0x%" PRIx64)                      \
    TRACE_EVENT(virtio_mem_unplug_all_request,                                \
        (unsigned int index),                                                 \
        (index),                                                              \
        "index %u")                                                           \
    TRACE_EVENT(virtio_mem_state_request,                                     \
        (unsigned int index, uint64_t offset, uint64_t size),                 \
        (index, offset, size),                                                \
        "index %u offset 0x%" PRIx64 " size 0x%" PRIx64)                      \
    TRACE_EVENT(virtio_mem_send_response,                                     \
        (unsigned int index, unsigned int type, unsigned int state),          \
        (index, type, state),                                                 \
        "index %u type %u state %u")                                          \
    TRACE_EVENT(virtio_mem_set_requested_size,                                \
        (const char *region, uint64_t size),                                  \
        (region, size),                                                       \
        "region %s size 0x%" PRIx64)                                          \
    /* demand/controller.c: what is requested, and why */                     \
    TRACE_EVENT(memory_controller_decide,                                     \
        (const char *controller, const char *reason, uint64_t before,         \
         uint64_t requested),                                                 \
        (controller, reason, before, requested),                              \
        "%s %s 0x%" PRIx64 " -> 0x%" PRIx64)                                  \
    TRACE_EVENT(virtio_set_status,                                            \
        (const char *device, unsigned int status),                            \
        (device, status),                                                     \
        "device %s status 0x%x")                                              \
    /* hw/vfio: what is mapped for devices */                                 \
    TRACE_EVENT(vfio_listener_region_add,                                     \
        (const char *region, uint64_t iova, uint64_t size),                   \
        (region, iova, size),                                                 \
        "region %s iova 0x%" PRIx64 " size 0x%" PRIx64)                       \
    TRACE_EVENT(vfio_listener_region_del,                                     \
        (const char *region, uint64_t iova, uint64_t size),                   \
        (region, iova, size),                                                 \
        "region %s iova 0x%" PRIx64 " size 0x%" PRIx64)                       \
    TRACE_EVENT(vfio_dma_map,                                                 \
        (const char *backend, uint64_t iova, uint64_t size, int ret),         \
        (backend, iova, size, ret),                                           \
        "backend %s iova 0x%" PRIx64 " size 0x%" PRIx64 " ret %d")            \
    TRACE_EVENT(vfio_dma_unmap,                                               \
        (const char *backend, uint64_t iova, uint64_t size, int ret),         \
        (backend, iova, size, ret),                                           \
        "backend %s iova 0x%" PRIx64 " size 0x%" PRIx64 " ret %d")            \
    /* the host's memory, and KVM's view of it */                             \
    TRACE_EVENT(ram_block_discard_range,                                      \
        (const char *block, uint64_t offset, uint64_t size, int ret),         \
        (block, offset, size, ret),                                           \
        "block %s offset 0x%" PRIx64 " size 0x%" PRIx64 " ret %d")            \
    TRACE_EVENT(kvm_set_user_memory,                                          \
        (uint32_t slot, uint64_t addr, uint64_t size, int ret),               \
        (slot, addr, size, ret),                                              \
        "slot %" PRIu32 " addr 0x%" PRIx64 " size 0x%" PRIx64 " ret %d")      \
    /* monitor/ and system/runstate.c */                                     \
    TRACE_EVENT(qmp_command,                                                  \
        (const char *name),                                                   \
        (name),                                                               \
        "%s")                                                                 \
    TRACE_EVENT(qmp_event,                                                    \
        (const char *name),                                                   \
        (name),                                                               \
        "%s")                                                                 \
    TRACE_EVENT(runstate_set,                                                 \
        (const char *from, const char *to),                                   \
        (from, to),                                                           \
        "%s -> %s")                                                           \
    /* hw/i386, accel/kvm: by what a guest is reset */                        \
    TRACE_EVENT(guest_reset,                                                  \
        (const char *by),                                                     \
        (by),                                                                 \
        "by %s")

#endif
