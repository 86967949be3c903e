/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory in KVM: a slot for each RAM section of the memory map, and the
 * ioeventfds of the memory and the port space. Listeners follow the map.
 *
 * A region that a RamDiscardMgr manages is one section and thus one slot,
 * whatever is populated in it: a slot costs nothing for memory that the guest
 * does not touch. This file must never split it.
 */
#include "qemu/osdep.h"

#include "kvm-internal.h"
#include "exec/address-spaces.h"
#include "qemu/error-report.h"
#include "qemu/event_notifier.h"
#include "trace.h"

#define MAX_SLOTS_DEFAULT 32              /* if KVM does not say */

/* --- slots --- */

static int set_slot(KVMState *s, unsigned id, const KVMSlot *slot,
                    uint64_t size)
{
    struct kvm_userspace_memory_region region = {
        .slot = id,
        .flags = slot->flags,
        .guest_phys_addr = slot->start,
        .memory_size = size,
        .userspace_addr = (uintptr_t)slot->host,
    };
    int ret = kvm_vm_ioctl(s, KVM_SET_USER_MEMORY_REGION, &region);

    trace_kvm_set_user_memory(id, slot->start, size, ret);
    return ret;
}

/* The whole pages of the section; false: there are none, or it is not RAM. */
static bool slot_of_section(const MemoryRegionSection *section, KVMSlot *slot)
{
    uint64_t page = qemu_real_host_page_size();
    uint64_t start = section->offset_within_address_space, end, skip;

    if (!memory_region_is_ram(section->mr)) {
        return false;
    }
    end = ROUND_DOWN(start + int128_get64(section->size), page);
    slot->start = ROUND_UP(start, page);
    if (slot->start >= end) {
        return false;
    }
    skip = slot->start - start;
    slot->size = end - slot->start;
    slot->host = (char *)memory_region_get_ram_ptr(section->mr) +
                 section->offset_within_region + skip;
    slot->flags = section->readonly || memory_region_is_rom(section->mr)
                      ? KVM_MEM_READONLY : 0;
    return true;
}

/* The first slot that starts at @start and has @size bytes; size 0: is free. */
static KVMSlot *find_slot(KVMState *s, hwaddr start, uint64_t size)
{
    for (unsigned i = 0; i < s->slots->len; i++) {
        KVMSlot *slot = &g_array_index(s->slots, KVMSlot, i);

        if (slot->size == size && (!size || slot->start == start)) {
            return slot;
        }
    }
    return NULL;
}

static KVMSlot *new_slot(KVMState *s)
{
    KVMSlot *slot = find_slot(s, 0, 0);

    if (slot || s->slots->len == s->max_slots) {
        return slot;
    }
    g_array_set_size(s->slots, s->slots->len + 1);
    return &g_array_index(s->slots, KVMSlot, s->slots->len - 1);
}

static unsigned slot_id(KVMState *s, const KVMSlot *slot)
{
    return slot - &g_array_index(s->slots, KVMSlot, 0);
}

/*
 * Memory that the guest is promised but KVM does not map would be lost at its
 * next access: there is no way to go on. A device's BAR is not like that. The
 * guest places it where it likes, out of reach of its CPUs too; accesses to one
 * without a slot leave the guest, and the memory core hands them to the device.
 */
static void G_GNUC_NORETURN slot_failed(const MemoryRegionSection *section,
                                        const KVMSlot *slot, int ret)
{
    error_report("KVM: '%s', 0x%" PRIx64 " bytes at 0x%" PRIx64 ", cannot be"
                 " given to the guest: %s",
                 memory_region_name(section->mr), slot->size, slot->start,
                 strerror(-ret));
    exit(1);
}

static void slots_region_add(MemoryListener *listener,
                             MemoryRegionSection *section)
{
    KVMState *s = container_of(listener, KVMState, memory_listener);
    KVMSlot wanted, *slot;
    int ret;

    if (!slot_of_section(section, &wanted)) {
        return;
    }
    memory_region_ref(section->mr);
    slot = new_slot(s);
    ret = slot ? set_slot(s, slot_id(s, slot), &wanted, wanted.size) : -ENOSPC;
    if (!ret) {
        *slot = wanted;
    } else if (memory_region_is_ram_device(section->mr)) {
        memory_region_unref(section->mr);
    } else {
        slot_failed(section, &wanted, ret);
    }
}

static void slots_region_del(MemoryListener *listener,
                             MemoryRegionSection *section)
{
    KVMState *s = container_of(listener, KVMState, memory_listener);
    KVMSlot gone, *slot;
    int ret;

    if (!slot_of_section(section, &gone)) {
        return;
    }
    slot = find_slot(s, gone.start, gone.size);
    if (!slot && memory_region_is_ram_device(section->mr)) {
        return;
    }
    g_assert(slot && slot->host == gone.host);
    ret = set_slot(s, slot_id(s, slot), slot, 0);
    g_assert(ret == 0);
    slot->size = 0;
    memory_region_unref(section->mr);
}

/* --- ioeventfds --- */

/*
 * Should KVM refuse one, the guest's write leaves the guest and the memory core
 * delivers it: slower, not wrong.
 */
static void set_ioeventfd(KVMState *s, const MemoryRegionSection *section,
                          uint32_t flags, bool match_data, uint64_t data,
                          EventNotifier *e)
{
    struct kvm_ioeventfd io = {
        .fd = event_notifier_get_fd(e),
        .addr = section->offset_within_address_space,
        .len = int128_get64(section->size),
        .datamatch = match_data ? data : 0,
        .flags = flags | (match_data ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
    };
    static uint64_t count;
    int ret = kvm_vm_ioctl(s, KVM_IOEVENTFD, &io);

    if (ret < 0 && !(flags & KVM_IOEVENTFD_FLAG_DEASSIGN)) {
        warn_report_counted(&count, "KVM: no ioeventfd at 0x%" PRIx64 ": %s",
                            section->offset_within_address_space,
                            strerror(-ret));
    }
}

static void mem_eventfd_add(MemoryListener *listener,
                            MemoryRegionSection *section, bool match_data,
                            uint64_t data, EventNotifier *e)
{
    set_ioeventfd(container_of(listener, KVMState, memory_listener), section,
                  0, match_data, data, e);
}

static void mem_eventfd_del(MemoryListener *listener,
                            MemoryRegionSection *section, bool match_data,
                            uint64_t data, EventNotifier *e)
{
    set_ioeventfd(container_of(listener, KVMState, memory_listener), section,
                  KVM_IOEVENTFD_FLAG_DEASSIGN, match_data, data, e);
}

static void io_eventfd_add(MemoryListener *listener,
                           MemoryRegionSection *section, bool match_data,
                           uint64_t data, EventNotifier *e)
{
    set_ioeventfd(container_of(listener, KVMState, io_listener), section,
                  KVM_IOEVENTFD_FLAG_PIO, match_data, data, e);
}

static void io_eventfd_del(MemoryListener *listener,
                           MemoryRegionSection *section, bool match_data,
                           uint64_t data, EventNotifier *e)
{
    set_ioeventfd(container_of(listener, KVMState, io_listener), section,
                  KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN,
                  match_data, data, e);
}

void kvm_slots_init(KVMState *s)
{
    s->max_slots = kvm_check_extension(s, KVM_CAP_NR_MEMSLOTS)
                       ?: MAX_SLOTS_DEFAULT;
    s->slots = g_array_new(false, true, sizeof(KVMSlot));

    /* Before other listeners when memory comes, after them when it goes. */
    s->memory_listener = (MemoryListener) {
        .priority = 10,
        .region_add = slots_region_add,
        .region_del = slots_region_del,
        .eventfd_add = mem_eventfd_add,
        .eventfd_del = mem_eventfd_del,
    };
    s->io_listener = (MemoryListener) {
        .priority = 10,
        .eventfd_add = io_eventfd_add,
        .eventfd_del = io_eventfd_del,
    };
    memory_listener_register(&s->memory_listener, &address_space_memory);
    memory_listener_register(&s->io_listener, &address_space_io);
}
