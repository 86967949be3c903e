/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fake IOMMU backend of the VFIO tests; see fake-iommu.h. It knows only the
 * backend interface, and must never be kinder than the kernel.
 */
#include "qemu/osdep.h"

#include "fake-iommu.h"
#include "hw/vfio/prefault.h"
#include "qemu/units.h"

static FakeIOMMU *fake_of(VFIODMASpace *space)
{
    return container_of(space, FakeIOMMU, container.space);
}

static FakeMapping *fake_at(const FakeIOMMU *f, guint i)
{
    return &g_array_index(f->mappings, FakeMapping, i);
}

static hwaddr fake_last(const FakeMapping *m)
{
    return m->iova + (m->size - 1);
}

/* Index of the first mapping that does not end before @iova. */
static guint fake_first(const FakeIOMMU *f, hwaddr iova)
{
    guint lo = 0, hi = f->mappings->len;

    while (lo < hi) {
        guint mid = lo + (hi - lo) / 2;

        if (fake_last(fake_at(f, mid)) < iova) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static bool fake_bad_range(const FakeIOMMU *f, hwaddr iova, uint64_t size)
{
    return !size || ((iova | size) & (f->page_size - 1)) ||
           iova + (size - 1) < iova;
}

static int fake_record(FakeIOMMU *f, bool map, hwaddr iova, uint64_t size,
                       int ret)
{
    FakeOp op = { map, iova, size, ret };

    g_array_append_val(f->ops, op);
    return ret;
}

static int fake_check_map(FakeIOMMU *f, const VFIODMAMapping *m, guint *pos)
{
    guint i = fake_first(f, m->iova);

    if (fake_bad_range(f, m->iova, m->size) ||
        ((uintptr_t)m->vaddr & (f->page_size - 1)) ||
        m->iova + (m->size - 1) > f->last_iova) {
        f->violations++;
        return -EINVAL;
    }
    if (i < f->mappings->len &&
        fake_at(f, i)->iova <= m->iova + (m->size - 1)) {
        f->violations++;
        return -EEXIST;
    }
    *pos = i;
    if (f->max_mappings && f->mappings->len >= f->max_mappings) {
        return -ENOSPC;
    }
    return memory_region_is_ram_device(m->mr) ||
           m->size <= f->lock_limit - f->locked ? 0 : -ENOMEM;
}

static int fake_map(VFIODMASpace *space, const VFIODMAMapping *m)
{
    FakeIOMMU *f = fake_of(space);
    FakeMapping mapping = { m->iova, m->size, m->vaddr, m->readonly,
                            !memory_region_is_ram_device(m->mr) };
    guint pos;
    int ret;

    if (f->fail_map_after >= 0 && f->fail_map_after-- == 0) {
        return fake_record(f, true, m->iova, m->size, -f->fail_map_errno);
    }
    ret = fake_check_map(f, m, &pos);
    if (!ret) {
        g_array_insert_val(f->mappings, pos, mapping);
        f->locked += mapping.locked ? m->size : 0;
    }
    return fake_record(f, true, m->iova, m->size, ret);
}

/* The mappings wholly in the range: [*from, *to). false: one is split. */
static bool fake_find(FakeIOMMU *f, hwaddr iova, uint64_t size, guint *from,
                      guint *to)
{
    hwaddr last = iova + (size - 1);
    guint i = fake_first(f, iova);

    *from = i;
    for (; i < f->mappings->len && fake_at(f, i)->iova <= last; i++) {
        if (fake_at(f, i)->iova < iova || fake_last(fake_at(f, i)) > last) {
            return false;
        }
    }
    *to = i;
    return true;
}

static int fake_check_unmap(FakeIOMMU *f, hwaddr iova, uint64_t size,
                            guint *from, guint *to)
{
    if (fake_bad_range(f, iova, size) || !fake_find(f, iova, size, from, to)) {
        f->violations++;
        return -EINVAL;
    }
    if (f->exact && (*to - *from != 1 || fake_at(f, *from)->size != size)) {
        f->violations++;
        return -ENOENT;
    }
    return 0;
}

static int fake_unmap(VFIODMASpace *space, hwaddr iova, uint64_t size)
{
    FakeIOMMU *f = fake_of(space);
    guint from, to;
    int ret;

    if (f->fail_unmap_errno) {
        return fake_record(f, false, iova, size, -f->fail_unmap_errno);
    }
    ret = fake_check_unmap(f, iova, size, &from, &to);
    if (!ret) {
        for (guint i = from; i < to; i++) {
            f->locked -= fake_at(f, i)->locked ? fake_at(f, i)->size : 0;
        }
        g_array_remove_range(f->mappings, from, to - from);
    }
    return fake_record(f, false, iova, size, ret);
}

static bool fake_memlock(VFIODMASpace *space, uint64_t *used,
                         uint64_t *limit)
{
    FakeIOMMU *f = fake_of(space);

    *used = f->locked;
    *limit = f->lock_limit;
    return f->tells_limits && f->lock_limit != UINT64_MAX;
}

static const VFIOIOMMUBackendClass fake_ops = {
    .name = "fake",
    .dma_map = fake_map,
    .dma_unmap = fake_unmap,
    .prefault = vfio_prefault,
    .memlock = fake_memlock,
};

static const VFIOIOMMUBackendClass fake_exact_ops = {
    .name = "fake-exact",
    .unmap_exact = true,
    .dma_map = fake_map,
    .dma_unmap = fake_unmap,
    .prefault = vfio_prefault,
    .memlock = fake_memlock,
};

FakeIOMMU *fake_iommu_new(void)
{
    FakeIOMMU *f = g_new0(FakeIOMMU, 1);

    f->page_size = 4 * KiB;
    f->max_mappings = UINT16_MAX;
    f->lock_limit = UINT64_MAX;
    f->last_iova = UINT64_MAX;
    f->tells_limits = true;
    f->fail_map_after = -1;
    f->fail_map_errno = EIO;
    f->mappings = g_array_new(false, false, sizeof(FakeMapping));
    f->ops = g_array_new(false, false, sizeof(FakeOp));
    return f;
}

bool fake_iommu_start(FakeIOMMU *f, AddressSpace *as, Error **errp)
{
    VFIOIOVARange range = { 0, f->last_iova };
    VFIOIOMMUInfo info = {
        .pgsizes = f->page_size | (1ULL << 30),
        .dma_max_mappings = f->tells_limits ? f->max_mappings : 0,
        .iova_ranges = g_array_new(false, false, sizeof(range)),
    };

    g_array_append_val(info.iova_ranges, range);
    return vfio_container_init(&f->container,
                               f->exact ? &fake_exact_ops : &fake_ops, as,
                               &info, errp);
}

void fake_iommu_stop(FakeIOMMU *f)
{
    vfio_container_destroy(&f->container);
}

void fake_iommu_free(FakeIOMMU *f)
{
    g_assert_cmpuint(f->mappings->len, ==, 0);
    g_assert_cmpuint(f->locked, ==, 0);
    g_assert_cmpuint(f->violations, ==, 0);
    g_array_unref(f->mappings);
    g_array_unref(f->ops);
    g_free(f);
}

void *fake_iommu_translate(const FakeIOMMU *f, hwaddr iova)
{
    guint i = fake_first(f, iova);
    const FakeMapping *m;

    if (i == f->mappings->len || fake_at(f, i)->iova > iova) {
        return NULL;
    }
    m = fake_at(f, i);
    return (uint8_t *)m->vaddr + (iova - m->iova);
}

uint64_t fake_iommu_mapped(const FakeIOMMU *f)
{
    uint64_t sum = 0;

    for (guint i = 0; i < f->mappings->len; i++) {
        sum += fake_at(f, i)->size;
    }
    return sum;
}

unsigned fake_iommu_count(const FakeIOMMU *f, bool map)
{
    unsigned n = 0;

    for (guint i = 0; i < f->ops->len; i++) {
        FakeOp *op = &g_array_index(f->ops, FakeOp, i);

        n += op->map == map && op->ret == 0;
    }
    return n;
}

void fake_iommu_forget(FakeIOMMU *f)
{
    g_array_set_size(f->ops, 0);
}
