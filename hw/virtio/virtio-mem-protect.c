/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-mem, protect=on: unplugged blocks are guarded, so that a guest that
 * touches them cannot make the host allocate memory for them. Each change of
 * what is plugged changes what is guarded. A violation is reported by the event
 * MEMORY_PROTECT_VIOLATION and by a message, and may stop the VM. How guarding
 * works, softmmu/ram-guard.c knows.
 *
 * Where a plugged block lies beside an unplugged one, the kernel splits the
 * region's mapping; a process may have vm.max_map_count of them. A guest must
 * not be able to use them all up, as the emulator could not go on without any,
 * so changes that would are refused while there still are some.
 */
#include "qemu/osdep.h"
#include "exec/ram-guard.h"
#include "virtio-mem.h"
#include "qapi/client-event.h"
#include "qemu/error-report.h"
#include "qemu/timer.h"
#include "sysemu/runstate.h"

#define MAX_MAP_COUNT_FILE "/proc/sys/vm/max_map_count"
#define DEFAULT_MAX_MAP_COUNT 65530

/* Between two events, unless the VM is stopped by what they tell. */
#define EVENT_MS 1000

struct VirtIOMEMProtect {
    VirtIOMEM *vmem;
    RamGuard *guard;
    uint64_t splits;                      /* block borders between plugged and
                                             unplugged */
    bool told_limit;                      /* a person, of too many mappings */
    bool told_violation;
    uint64_t nr_unprotected;              /* closings that failed */
    QEMUTimer *timer;                     /* for the next event */
    int64_t next_event;                   /* ms, not before */
    VMChangeStateEntry *vmstate;
};

const QEnumLookup VirtIOMEMProtectAction_lookup = {
    .array = (const char *const[]) {
        [VIRTIO_MEM_PROTECT_CONTINUE] = "continue",
        [VIRTIO_MEM_PROTECT_STOP] = "stop",
    },
    .size = VIRTIO_MEM_PROTECT__MAX,
};

/* The splits of all devices: mappings are the process's. */
static uint64_t all_splits;

/* --- mappings --- */

/* Three quarters of what there may be; the rest is for everything else. Read
 * each time: an administrator may change it while the guest tries again. */
static uint64_t splits_limit(void)
{
    g_autofree char *text = NULL;
    uint64_t count = DEFAULT_MAX_MAP_COUNT;

    if (g_file_get_contents(MAX_MAP_COUNT_FILE, &text, NULL, NULL)) {
        count = g_ascii_strtoull(text, NULL, 10);
    }
    return count / 4 * 3;
}

/* How a change of the block at @offset counts for the border to it. */
static int border_change(const VirtIOMEMProtect *p, uint64_t offset,
                         bool was_populated)
{
    const RamDiscardBlocks *b = &p->vmem->blocks;

    return ram_discard_blocks_are_populated(b, offset, b->granularity) ==
                   was_populated ? 1 : -1;
}

/* How many more splits there are once all of the range has changed. */
static int64_t splits_change(const VirtIOMEMProtect *p, uint64_t offset,
                             uint64_t size)
{
    const RamDiscardBlocks *b = &p->vmem->blocks;
    bool populated = ram_discard_blocks_are_populated(b, offset, size);
    int64_t change = 0;

    if (!populated && !ram_discard_blocks_are_discarded(b, offset, size)) {
        return -(int64_t)p->splits;       /* of both: all is discarded */
    }
    if (offset) {
        change += border_change(p, offset - b->granularity, populated);
    }
    if (offset + size < memory_region_size(b->mr)) {
        change += border_change(p, offset + size, populated);
    }
    return change;
}

/* Before a change of the process's mappings. */
static int check_splits(int64_t change, Error **errp)
{
    if (change <= 0 || all_splits + change <= splits_limit()) {
        return 0;
    }
    error_setg(errp, VIRTIO_MEM_PROTECT_PROP "=on needs %" PRIu64 " mappings "
               "for memory that is plugged in so many pieces, but takes at most "
               "%" PRIu64 ", three quarters of vm.max_map_count",
               all_splits + change, splits_limit());
    return -ENOMEM;
}

static void count_splits(VirtIOMEMProtect *p, int64_t change)
{
    p->splits += change;
    all_splits += change;
}

/* --- plugging and unplugging --- */

int virtio_mem_protect_lift(VirtIOMEMProtect *p, uint64_t offset,
                            uint64_t size)
{
    Error *err = NULL;
    int64_t change;
    int ret;

    if (!p) {
        return 0;
    }
    change = splits_change(p, offset, size);
    ret = check_splits(change, &err);
    if (!ret) {
        ram_guard_freeze(p->guard);
        ret = ram_guard_open(p->guard, offset, size);
        if (ret) {
            ram_guard_close(p->guard, offset, size);
            error_setg_errno(&err, -ret, "the host cannot let the guest touch "
                             "the memory (" VIRTIO_MEM_PROTECT_PROP "=on)");
        }
        ram_guard_thaw(p->guard);
    }
    if (!ret) {
        count_splits(p, change);
    } else {
        ram_discard_blocks_refuse(&p->vmem->blocks, offset, size, "protect",
                                  err);
    }
    return ret;
}

void virtio_mem_protect_restore(VirtIOMEMProtect *p, uint64_t offset,
                                uint64_t size)
{
    int ret;

    if (!p) {
        return;
    }
    ram_guard_freeze(p->guard);
    ret = ram_guard_close(p->guard, offset, size);
    ram_guard_thaw(p->guard);
    count_splits(p, -splits_change(p, offset, size));
    if (ret) {
        /* It was guarded a moment ago: the kernel is out of memory. */
        warn_report_counted(&p->nr_unprotected, "virtio-mem: %" PRIu64 " bytes "
                            "at 0x%" PRIx64 " are not protected until they are "
                            "plugged again: %s", size,
                            p->vmem->addr + offset, g_strerror(-ret));
    }
}

/* Opens what is populated of a range that was to be discarded. */
static void open_populated(VirtIOMEMProtect *p, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size, run_size;

    while (ram_discard_blocks_next_run(&p->vmem->blocks, &offset,
                                       &run_size) && offset < end) {
        ram_guard_open(p->guard, offset, MIN(run_size, end - offset));
        offset += run_size;
    }
}

/* The guest may try again and again: a person is told once. Takes @err. */
static void tell_no_unplug(VirtIOMEMProtect *p, Error *err)
{
    if (p->told_limit) {
        error_free(err);
        return;
    }
    p->told_limit = true;
    error_prepend(&err, "virtio-mem: unplugging is refused, the guest may try "
                  "again: ");
    warn_report_err(err);
}

/*
 * Guards first: what is touched in between counts as unplugged already, and no
 * page can come after the discard. Frozen, so that no page is let in, and then
 * taken away, that belongs to the guest if the discard fails.
 */
int virtio_mem_protect_discard(void *opaque, uint64_t offset, uint64_t size)
{
    VirtIOMEMProtect *p = opaque;
    int64_t change = splits_change(p, offset, size);
    Error *err = NULL;
    int ret = check_splits(change, &err);

    if (ret) {
        tell_no_unplug(p, err);
        return ret;
    }
    ram_guard_freeze(p->guard);
    ret = ram_guard_close(p->guard, offset, size);
    if (!ret) {
        ret = ram_block_discard_range(
            memory_region_ram_block(p->vmem->blocks.mr), offset, size);
    }
    if (ret) {
        open_populated(p, offset, size);
    } else {
        count_splits(p, change);
    }
    ram_guard_thaw(p->guard);
    return ret;
}

/* --- violations --- */

static void emit_event(VirtIOMEMProtect *p, const RamGuardViolations *v,
                       const char *action)
{
    /* The device that the user has named: the one whose bus this is on. */
    DeviceState *dev = qdev_get_parent_bus(DEVICE(p->vmem))->parent;
    g_autofree char *path = object_get_canonical_path(OBJECT(dev));
    JsonObject *event = json_object_new();

    if (dev->id) {
        json_object_set_string_member(event, "id", dev->id);
    }
    json_object_set_string_member(event, "qom-path", path);
    json_object_set_int_member(event, "address",
                               (gint64)(p->vmem->addr + v->offset));
    json_object_set_boolean_member(event, "write", v->write);
    json_object_set_int_member(event, "count", (gint64)v->count);
    json_object_set_string_member(event, "action", action);
    qapi_event_emit("MEMORY_PROTECT_VIOLATION", event);
}

static void tell_person(VirtIOMEMProtect *p, const RamGuardViolations *v,
                        bool stop)
{
    if (stop || !p->told_violation) {
        p->told_violation = true;
        warn_report("virtio-mem: unplugged memory was %s at 0x%" PRIx64 "%s",
                    v->write ? "written to" : "read",
                    p->vmem->addr + v->offset,
                    stop ? "; the VM is stopped" : "");
    }
}

/* What stops the VM is told at once, all else once in a while. */
static void virtio_mem_protect_tell(void *opaque)
{
    VirtIOMEMProtect *p = opaque;
    bool stop = p->vmem->protect_action == VIRTIO_MEM_PROTECT_STOP &&
                runstate_is_running();
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
    RamGuardViolations violations;

    if (!stop && now < p->next_event) {
        timer_mod(p->timer, p->next_event);
        return;
    }
    ram_guard_take_violations(p->guard, &violations);
    if (!violations.count) {
        return;
    }
    tell_person(p, &violations, stop);
    emit_event(p, &violations, stop ? "stop" : "continue");
    /* From when it was told: whoever reads the time stamps counts from there. */
    p->next_event = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + EVENT_MS;
    if (stop) {
        /* Now: stopping may take longer than pages linger. */
        ram_guard_keep_pages(p->guard, true);
        vm_stop(RUN_STATE_PAUSED);
        /* What came before the CPUs had stopped must not stop them again. */
        ram_guard_take_violations(p->guard, &violations);
        if (violations.count) {
            emit_event(p, &violations, "stop");
        }
    }
}

/* A CPU that was let in may have been stopped before its access. It must find
 * the page when it goes on, or would stop the VM again, as often as not. */
static void vm_change(void *opaque, int running, RunState state)
{
    VirtIOMEMProtect *p = opaque;

    ram_guard_keep_pages(p->guard, !running);
}

/* --- life --- */

bool virtio_mem_protect_check(const VirtIOMEM *vmem, Error **errp)
{
    if (vmem->protect_action != VIRTIO_MEM_PROTECT_CONTINUE &&
        !vmem->protect_on) {
        error_setg(errp, "'" VIRTIO_MEM_PROTECT_ACTION_PROP "' needs '"
                   VIRTIO_MEM_PROTECT_PROP "=on'");
        return false;
    }
    if (vmem->protect_on &&
        vmem->unplugged_inaccessible == ON_OFF_AUTO_OFF) {
        error_setg(errp, "'" VIRTIO_MEM_PROTECT_PROP "=on' needs '"
                   VIRTIO_MEM_UNPLUGGED_INACCESSIBLE_PROP "=on': with 'off' a "
                   "guest may read what is not plugged");
        return false;
    }
    return true;
}

VirtIOMEMProtect *virtio_mem_protect_new(VirtIOMEM *vmem, MemoryRegion *mr,
                                         Error **errp)
{
    VirtIOMEMProtect *p = g_new0(VirtIOMEMProtect, 1);

    p->vmem = vmem;
    p->guard = ram_guard_new(memory_region_ram_block(mr),
                             virtio_mem_protect_tell, p, errp);
    if (!p->guard) {
        error_prepend(errp, "'" VIRTIO_MEM_PROTECT_PROP "=on': ");
        g_free(p);
        return NULL;
    }
    p->timer = timer_new_ms(QEMU_CLOCK_REALTIME, virtio_mem_protect_tell, p);
    p->vmstate = qemu_add_vm_change_state_handler(vm_change, p);
    return p;
}

void virtio_mem_protect_free(VirtIOMEMProtect *p)
{
    if (p) {
        count_splits(p, -(int64_t)p->splits);
        qemu_del_vm_change_state_handler(p->vmstate);
        timer_free(p->timer);
        ram_guard_free(p->guard);
        g_free(p);
    }
}
