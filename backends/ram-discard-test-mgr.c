/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ram-discard-test-mgr: one more manager of a memory backend's RAM, for tests
 * and for trying out how consumers follow several (docs/ram-discard.md). A user
 * creates it by -object or object-add, says by qom-set what it populates and
 * discards, and reads by qom-get how much that is. It must do nothing by
 * itself: what the guest asks for is virtio-mem's.
 */
#include "qemu/osdep.h"
#include "exec/ram-discard.h"
#include "exec/ramblock.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "qom/object_interfaces.h"
#include "sysemu/hostmem.h"

#define TYPE_RAM_DISCARD_TEST_MGR "ram-discard-test-mgr"
OBJECT_DECLARE_SIMPLE_TYPE(RamDiscardTestMgr, RAM_DISCARD_TEST_MGR)

struct RamDiscardTestMgr {
    Object parent_obj;

    /* properties */
    HostMemoryBackend *memdev;
    uint64_t granularity;                 /* bytes */
    bool populated;                       /* all of it, at the start */

    MemoryRegion *mr;                     /* NULL: does not manage it */
    RamDiscardBlocks blocks;
};

static const char discard_user[] = TYPE_RAM_DISCARD_TEST_MGR;

/* --- ranges --- */

/* "4M+8M": 8 MiB at 4 MiB. In the region and in whole blocks. */
static bool parse_range(const RamDiscardTestMgr *mgr, const char *text,
                        uint64_t *offset, uint64_t *size, Error **errp)
{
    const char *rest;
    uint64_t end;

    if (!mgr->mr) {
        error_setg(errp, "the manager is not at work yet");
        return false;
    }
    if (qemu_strtosz(text, &rest, offset) || *rest != '+' ||
        qemu_strtosz(rest + 1, NULL, size) || !*size ||
        __builtin_add_overflow(*offset, *size, &end) ||
        end > memory_region_size(mgr->mr) ||
        !QEMU_IS_ALIGNED(*offset | *size, mgr->granularity)) {
        error_setg(errp, "'%s' is not OFFSET+SIZE, such as 4M+8M, in multiples "
                   "of %" PRIu64 " and within %" PRIu64 " bytes", text,
                   mgr->granularity, memory_region_size(mgr->mr));
        return false;
    }
    return true;
}

static void populate(Object *obj, const char *text, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(obj);
    const RamDiscardRefusal *refusal;
    uint64_t offset, size;
    int ret;

    if (!parse_range(mgr, text, &offset, &size, errp)) {
        return;
    }
    if (!ram_discard_blocks_are_discarded(&mgr->blocks, offset, size)) {
        error_setg(errp, "some of '%s' is populated already", text);
        return;
    }
    ret = ram_discard_blocks_populate(&mgr->blocks, offset, size);
    if (ret) {
        refusal = &memory_region_ram_discard_state(mgr->mr)->refusal;
        error_setg(errp, "'%s' is refused by %s: %s", text, refusal->kind,
                   refusal->reason);
    }
}

static void discard(Object *obj, const char *text, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(obj);
    uint64_t offset, size;
    int ret;

    if (!parse_range(mgr, text, &offset, &size, errp)) {
        return;
    }
    if (!ram_discard_blocks_are_populated(&mgr->blocks, offset, size)) {
        error_setg(errp, "some of '%s' is discarded already", text);
        return;
    }
    ret = ram_discard_blocks_discard(&mgr->blocks, offset, size);
    if (ret) {
        error_setg_errno(errp, -ret, "the memory of '%s' cannot be given back",
                         text);
    }
}

/* --- life --- */

static bool check_properties(const RamDiscardTestMgr *mgr, Error **errp)
{
    MemoryRegion *mr;
    size_t page;

    if (!mgr->memdev) {
        error_setg(errp, "'memdev' is not set: it takes the id of a memory "
                   "backend");
        return false;
    }
    mr = host_memory_backend_get_memory(mgr->memdev);
    page = host_memory_backend_pagesize(mgr->memdev);
    if (!is_power_of_2(mgr->granularity) || mgr->granularity < page ||
        !QEMU_IS_ALIGNED(memory_region_size(mr), mgr->granularity)) {
        error_setg(errp, "'granularity' (%" PRIu64 ") has to be a power of "
                   "two, at least the page size (%zu) of '%s', of whose size (%"
                   PRIu64 ") it is a divisor", mgr->granularity, page,
                   memory_region_name(mr), memory_region_size(mr));
        return false;
    }
    return true;
}

static void test_mgr_complete(UserCreatable *uc, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(uc);
    MemoryRegion *mr;

    if (!check_properties(mgr, errp) ||
        !ram_block_discard_add_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                    discard_user, errp)) {
        return;
    }
    mr = host_memory_backend_get_memory(mgr->memdev);
    ram_discard_blocks_init(&mgr->blocks, RAM_DISCARD_MGR(mgr), mr,
                            mgr->granularity, NULL, NULL);
    if (mgr->populated) {
        ram_discard_blocks_populate(&mgr->blocks, 0, memory_region_size(mr));
    }
    if (!memory_region_add_ram_discard_mgr(mr, RAM_DISCARD_MGR(mgr), errp)) {
        ram_discard_blocks_destroy(&mgr->blocks);
        ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                      discard_user);
        return;
    }
    mgr->mr = mr;
}

static bool test_mgr_prepare_delete(UserCreatable *uc, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(uc);

    if (!memory_region_del_ram_discard_mgr(mgr->mr, RAM_DISCARD_MGR(mgr),
                                           errp)) {
        return false;
    }
    mgr->mr = NULL;
    ram_discard_blocks_destroy(&mgr->blocks);
    ram_block_discard_remove_user(RAM_DISCARD_REQUIRE_COORDINATED,
                                  discard_user);
    return true;
}

/* --- RamDiscardMgr --- */

static RamDiscardBlocks *test_mgr_get_blocks(const RamDiscardMgr *rdm,
                                             const MemoryRegion *mr)
{
    return &RAM_DISCARD_TEST_MGR(rdm)->blocks;
}

/* --- properties --- */

static bool check_unset(const RamDiscardTestMgr *mgr, const char *name,
                        Error **errp)
{
    if (mgr->mr) {
        error_setg(errp, "'%s' cannot be changed once the manager is at work",
                   name);
    }
    return !mgr->mr;
}

static void check_memdev(const Object *obj, const char *name, Object *val,
                         Error **errp)
{
    if (check_unset(RAM_DISCARD_TEST_MGR(obj), name, errp) && val &&
        !host_memory_backend_mr_inited(MEMORY_BACKEND(val))) {
        error_setg(errp, "'%s' has no memory yet", name);
    }
}

static void get_granularity(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    visit_type_size(v, name, &RAM_DISCARD_TEST_MGR(obj)->granularity, errp);
}

static void set_granularity(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(obj);

    if (check_unset(mgr, name, errp)) {
        visit_type_size(v, name, &mgr->granularity, errp);
    }
}

static bool get_populated(Object *obj, Error **errp)
{
    return RAM_DISCARD_TEST_MGR(obj)->populated;
}

static void set_populated(Object *obj, bool value, Error **errp)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(obj);

    if (check_unset(mgr, "populated", errp)) {
        mgr->populated = value;
    }
}

static void get_populated_size(Object *obj, Visitor *v, const char *name,
                               void *opaque, Error **errp)
{
    uint64_t size = RAM_DISCARD_TEST_MGR(obj)->blocks.populated;

    visit_type_size(v, name, &size, errp);
}

static void test_mgr_init(Object *obj)
{
    RamDiscardTestMgr *mgr = RAM_DISCARD_TEST_MGR(obj);

    mgr->granularity = 2 * MiB;
    object_property_add_link(obj, "memdev", TYPE_MEMORY_BACKEND,
                             (Object **)&mgr->memdev, check_memdev,
                             OBJ_PROP_LINK_STRONG);
}

static void test_mgr_class_init(ObjectClass *klass, void *data)
{
    UserCreatableClass *ucc = USER_CREATABLE_CLASS(klass);

    object_class_property_add(klass, "granularity", "size", get_granularity,
                              set_granularity, NULL, NULL);
    object_class_property_add_bool(klass, "populated", get_populated,
                                   set_populated);
    object_class_property_add_str(klass, "populate", NULL, populate);
    object_class_property_add_str(klass, "discard", NULL, discard);
    object_class_property_add(klass, "populated-size", "size",
                              get_populated_size, NULL, NULL, NULL);

    ucc->complete = test_mgr_complete;
    ucc->prepare_delete = test_mgr_prepare_delete;

    RAM_DISCARD_MGR_CLASS(klass)->get_blocks = test_mgr_get_blocks;
}

static const TypeInfo test_mgr_types[] = {
    {
        .name = TYPE_RAM_DISCARD_TEST_MGR,
        .parent = TYPE_OBJECT,
        .instance_size = sizeof(RamDiscardTestMgr),
        .instance_init = test_mgr_init,
        .class_init = test_mgr_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_RAM_DISCARD_MGR },
            { TYPE_USER_CREATABLE },
            { }
        },
    },
};

DEFINE_TYPES(test_mgr_types)
