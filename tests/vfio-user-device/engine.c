/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the test device and the DMA engine behind them. Registers
 * are bytes in memory; those that tell something are brought up to date before
 * a read, those that do something act after a write.
 */
#include "qemu/osdep.h"

#include "qemu/units.h"
#include "testdev.h"

#define CHUNK (64 * KiB)

static uint32_t reg32(const TestDev *dev, unsigned reg)
{
    uint32_t val;

    memcpy(&val, dev->regs + reg, sizeof(val));
    return GUINT32_FROM_LE(val);
}

static uint64_t reg64(const TestDev *dev, unsigned reg)
{
    uint64_t val;

    memcpy(&val, dev->regs + reg, sizeof(val));
    return GUINT64_FROM_LE(val);
}

static void set_reg32(TestDev *dev, unsigned reg, uint32_t val)
{
    val = GUINT32_TO_LE(val);
    memcpy(dev->regs + reg, &val, sizeof(val));
}

static void set_reg64(TestDev *dev, unsigned reg, uint64_t val)
{
    val = GUINT64_TO_LE(val);
    memcpy(dev->regs + reg, &val, sizeof(val));
}

/* --- the engine --- */

static int engine_copy(TestDev *dev, uint8_t *buf, uint64_t done, size_t n,
                       uint64_t *fault)
{
    int ret = testdev_dma(dev, reg64(dev, TESTDEV_REG_SRC) + done, buf, n,
                          false, fault);

    return ret ? ret : testdev_dma(dev, reg64(dev, TESTDEV_REG_DST) + done, buf,
                                   n, true, fault);
}

static int engine_fill(TestDev *dev, uint8_t *buf, uint64_t done, size_t n,
                       uint64_t *fault)
{
    memset(buf, reg32(dev, TESTDEV_REG_VALUE), n);
    return testdev_dma(dev, reg64(dev, TESTDEV_REG_DST) + done, buf, n, true,
                       fault);
}

static int engine_checksum(TestDev *dev, uint8_t *buf, uint64_t done, size_t n,
                           uint64_t *fault)
{
    uint64_t sum = reg64(dev, TESTDEV_REG_RESULT);
    int ret = testdev_dma(dev, reg64(dev, TESTDEV_REG_SRC) + done, buf, n,
                          false, fault);

    for (size_t i = 0; !ret && i < n; i++) {
        sum += buf[i];
    }
    set_reg64(dev, TESTDEV_REG_RESULT, sum);
    return ret;
}

/* One chunk of a command. 0 or -errno. */
typedef int EngineStep(TestDev *dev, uint8_t *buf, uint64_t done, size_t n,
                       uint64_t *fault);

static int engine_execute(TestDev *dev, uint32_t command, uint64_t *fault)
{
    static EngineStep *const steps[] = {
        [TESTDEV_COPY] = engine_copy,
        [TESTDEV_FILL] = engine_fill,
        [TESTDEV_CHECKSUM] = engine_checksum,
    };
    uint64_t len = reg64(dev, TESTDEV_REG_LEN);
    g_autofree uint8_t *buf = g_malloc(CHUNK);
    uint16_t pci_command = dev->config[PCI_COMMAND];
    int ret = 0;

    if (command >= ARRAY_SIZE(steps) || !steps[command] ||
        len > TESTDEV_MAX_LEN) {
        return -EINVAL;
    }
    if (!(pci_command & PCI_COMMAND_MASTER)) {
        return -EACCES;
    }
    for (uint64_t done = 0; done < len && !ret; done += CHUNK) {
        ret = steps[command](dev, buf, done, MIN(len - done, CHUNK), fault);
    }
    return ret;
}

void testdev_engine_run(TestDev *dev)
{
    uint32_t command = reg32(dev, TESTDEV_REG_COMMAND) & ~TESTDEV_LATER;
    uint32_t vector = reg32(dev, TESTDEV_REG_VECTOR);
    uint64_t fault = 0;
    int ret;

    dev->pending = false;
    set_reg64(dev, TESTDEV_REG_RESULT, 0);
    ret = engine_execute(dev, command, &fault);
    set_reg32(dev, TESTDEV_REG_ERROR, -ret);
    set_reg64(dev, TESTDEV_REG_FAULT_IOVA, ret ? fault : 0);
    set_reg32(dev, TESTDEV_REG_STATUS, ret ? TESTDEV_FAILED : TESTDEV_DONE);
    if (vector != TESTDEV_NO_VECTOR) {
        testdev_irq_notify(&dev->irqs, vector);
    }
}

void testdev_engine_reset(TestDev *dev)
{
    memset(dev->regs, 0, sizeof(dev->regs));
    set_reg32(dev, TESTDEV_REG_ID, TESTDEV_ID);
    set_reg32(dev, TESTDEV_REG_VECTOR, TESTDEV_NO_VECTOR);
    set_reg32(dev, TESTDEV_REG_RESETS, dev->resets);
    dev->pending = false;
}

/* --- registers --- */

static void regs_refresh(TestDev *dev)
{
    const TestDevMapping *m =
        testdev_memory_find(&dev->mem, reg64(dev, TESTDEV_REG_PROBE));
    uint32_t flags = 0;

    set_reg32(dev, TESTDEV_REG_INTX_ACK, dev->irqs.intx_level);
    set_reg64(dev, TESTDEV_REG_NR_MAPPINGS, g_tree_nnodes(dev->mem.mappings));
    set_reg64(dev, TESTDEV_REG_MAPPED_BYTES, dev->mem.bytes);
    set_reg64(dev, TESTDEV_REG_MAPS, dev->maps);
    set_reg64(dev, TESTDEV_REG_UNMAPS, dev->unmaps);
    set_reg64(dev, TESTDEV_REG_REFUSALS, dev->refusals);
    if (m) {
        flags = (m->flags & VFIO_USER_DMA_READABLE ? TESTDEV_PROBE_READABLE
                                                   : 0) |
                (m->flags & VFIO_USER_DMA_WRITEABLE ? TESTDEV_PROBE_WRITEABLE
                                                    : 0) |
                (m->file ? TESTDEV_PROBE_FD : 0);
    }
    set_reg64(dev, TESTDEV_REG_PROBE_START, m ? m->iova : 0);
    set_reg64(dev, TESTDEV_REG_PROBE_SIZE, m ? m->last - m->iova + 1 : 0);
    set_reg32(dev, TESTDEV_REG_PROBE_FLAGS, flags);
}

void testdev_regs_read(TestDev *dev, uint64_t offset, uint8_t *data,
                       uint32_t count)
{
    regs_refresh(dev);
    memcpy(data, dev->regs + offset, count);
}

/* Registers that keep what is written: first byte, bytes. */
static const struct { uint16_t start, size; } writable[] = {
    { TESTDEV_REG_SRC, TESTDEV_REG_STATUS - TESTDEV_REG_SRC },
    { TESTDEV_REG_VECTOR, TESTDEV_REG_INTX_ACK - TESTDEV_REG_VECTOR },
    { TESTDEV_REG_PROBE, 8 },
    { TESTDEV_REG_AFTER, TESTDEV_REG_ARM + 4 - TESTDEV_REG_AFTER },
};

static bool regs_writable(uint64_t offset)
{
    for (unsigned i = 0; i < ARRAY_SIZE(writable); i++) {
        if (offset >= writable[i].start &&
            offset < writable[i].start + writable[i].size) {
            return true;
        }
    }
    return false;
}

static void regs_command(TestDev *dev)
{
    set_reg32(dev, TESTDEV_REG_STATUS, TESTDEV_BUSY);
    if (reg32(dev, TESTDEV_REG_COMMAND) & TESTDEV_LATER) {
        dev->pending = true;
    } else {
        testdev_engine_run(dev);
    }
}

static void regs_arm(TestDev *dev, uint32_t kind)
{
    switch (kind) {
    case TESTDEV_FAULT_CUT_BAR:
        testdev_bar2_cut(dev);
        break;
    case TESTDEV_FAULT_CUT_RAM:
        set_reg32(dev, TESTDEV_REG_STATUS, testdev_memory_cut(&dev->mem)
                                           ? TESTDEV_DONE : TESTDEV_FAILED);
        break;
    default:
        testdev_fault_arm(dev, kind, reg32(dev, TESTDEV_REG_AFTER),
                          reg32(dev, TESTDEV_REG_ARG));
    }
}

static void regs_act(TestDev *dev, unsigned reg)
{
    uint32_t val = reg32(dev, reg);

    switch (reg) {
    case TESTDEV_REG_COMMAND:
        regs_command(dev);
        break;
    case TESTDEV_REG_TRIGGER:
        testdev_irq_raise(&dev->irqs, val >> 16, val & 0xffff);
        break;
    case TESTDEV_REG_INTX_ACK:
        testdev_irq_ack(&dev->irqs);
        break;
    case TESTDEV_REG_ARM:
        regs_arm(dev, val);
        break;
    }
}

void testdev_regs_write(TestDev *dev, uint64_t offset, const uint8_t *data,
                        uint32_t count)
{
    static const uint16_t active[] = {
        TESTDEV_REG_COMMAND, TESTDEV_REG_TRIGGER, TESTDEV_REG_INTX_ACK,
        TESTDEV_REG_ARM,
    };

    for (uint32_t i = 0; i < count; i++) {
        if (regs_writable(offset + i)) {
            dev->regs[offset + i] = data[i];
        }
    }
    for (unsigned i = 0; i < ARRAY_SIZE(active); i++) {
        if (offset < active[i] + 4U && offset + count > active[i]) {
            regs_act(dev, active[i]);
        }
    }
}
