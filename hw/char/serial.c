/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The 16550A UART (hw/char/serial.h), after National's PC16550D data sheet.
 * The machine makes one for each -serial, the user further ones by -device.
 *
 * Output: the transmitter FIFO empties into the character device at once; only
 * while that takes nothing do bytes wait in it. Input: the FIFO takes what the
 * character device offers as long as there is room, so nothing overruns.
 */
#include "qemu/osdep.h"

#include <linux/serial_reg.h>

#include "chardev/char-fe.h"
#include "exec/address-spaces.h"
#include "hw/char/serial.h"
#include "hw/irq.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#include "qemu/timer.h"

typedef struct SerialState SerialState;
DECLARE_INSTANCE_CHECKER(SerialState, SERIAL, TYPE_ISA_SERIAL)

#define SERIAL_PORTS 8
#define FIFO_SIZE 16
#define CLOCK_HZ 115200                   /* baud rate = this / divisor */
#define DIVISOR_DEFAULT 12                /* 9600 baud */
#define IIR_FIFOS_ON 0xc0
#define IIR_TIMEOUT 0x0c
#define IER_MASK 0x0f
#define MCR_MASK 0x1f
#define MSR_CONNECTED (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)
#define MSR_DELTA_MASK UART_MSR_ANY_DELTA
#define LSR_ERRORS (UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)
#define LSR_IDLE (UART_LSR_THRE | UART_LSR_TEMT)
/* A receiver FIFO below its trigger level interrupts after this many frames. */
#define TIMEOUT_FRAMES 4
#define FRAME_BITS 10

typedef struct SerialFifo {
    uint8_t data[FIFO_SIZE];
    uint8_t len;                          /* data[0] is the oldest */
} SerialFifo;

struct SerialState {
    SysBusDevice parent_obj;

    SerialPlace place;
    CharBackend chr;

    uint16_t divisor;
    uint8_t ier;
    uint8_t fcr;                          /* FIFO enable and trigger bits */
    uint8_t lcr;
    uint8_t mcr;
    uint8_t lsr;
    uint8_t msr;
    uint8_t scr;
    bool thr_event;                       /* THR became empty, not yet told */
    bool timeout_event;                   /* input has waited too long */
    SerialFifo rx;
    SerialFifo tx;

    MemoryRegion io;
    qemu_irq irq;
    QEMUTimer *rx_timer;
    guint tx_watch;                       /* 0: not waiting to write */
};

/* --- FIFOs --- */

static bool fifos_enabled(const SerialState *s)
{
    return s->fcr & UART_FCR_ENABLE_FIFO;
}

static unsigned fifo_room(const SerialState *s, const SerialFifo *fifo)
{
    return (fifos_enabled(s) ? FIFO_SIZE : 1) - fifo->len;
}

static void fifo_drop(SerialFifo *fifo, unsigned n)
{
    fifo->len -= n;
    memmove(fifo->data, fifo->data + n, fifo->len);
}

static unsigned rx_trigger(const SerialState *s)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return fifos_enabled(s) ? levels[s->fcr >> 6] : 1;
}

/* --- interrupts --- */

/* The pending interrupt of the highest priority, as IIR has it. */
static uint8_t interrupt_id(const SerialState *s)
{
    if ((s->ier & UART_IER_RLSI) && (s->lsr & LSR_ERRORS)) {
        return UART_IIR_RLSI;
    }
    if ((s->ier & UART_IER_RDI) && s->timeout_event) {
        return IIR_TIMEOUT;
    }
    if ((s->ier & UART_IER_RDI) && s->rx.len >= rx_trigger(s)) {
        return UART_IIR_RDI;
    }
    if ((s->ier & UART_IER_THRI) && s->thr_event) {
        return UART_IIR_THRI;
    }
    if ((s->ier & UART_IER_MSI) && (s->msr & MSR_DELTA_MASK)) {
        return UART_IIR_MSI;
    }
    return UART_IIR_NO_INT;
}

static void update_irq(SerialState *s)
{
    qemu_set_irq(s->irq, interrupt_id(s) != UART_IIR_NO_INT);
}

/* --- input --- */

static int64_t timeout_ns(const SerialState *s)
{
    return NANOSECONDS_PER_SECOND / CLOCK_HZ * MAX(s->divisor, 1) *
           FRAME_BITS * TIMEOUT_FRAMES;
}

/* After any change of the receiver: status, timeout and interrupt follow. */
static void rx_changed(SerialState *s)
{
    s->timeout_event = false;
    if (s->rx.len) {
        s->lsr |= UART_LSR_DR;
    } else {
        s->lsr &= ~UART_LSR_DR;
    }
    if (s->rx.len && fifos_enabled(s)) {
        timer_mod(s->rx_timer,
                  qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + timeout_ns(s));
    } else {
        timer_del(s->rx_timer);
    }
    update_irq(s);
}

static void on_rx_timeout(void *opaque)
{
    SerialState *s = opaque;

    s->timeout_event = s->rx.len > 0;
    update_irq(s);
}

/* What does not fit is lost, as on the wire. */
static void rx_push(SerialState *s, const uint8_t *buf, unsigned size)
{
    unsigned n = MIN(size, fifo_room(s, &s->rx));

    memcpy(s->rx.data + s->rx.len, buf, n);
    s->rx.len += n;
    if (n < size) {
        s->lsr |= UART_LSR_OE;
    }
    rx_changed(s);
}

static uint8_t rx_pop(SerialState *s)
{
    uint8_t value = 0;

    if (s->rx.len) {
        value = s->rx.data[0];
        fifo_drop(&s->rx, 1);
        rx_changed(s);
        qemu_chr_fe_accept_input(&s->chr);
    }
    return value;
}

static int serial_can_read(void *opaque)
{
    SerialState *s = opaque;

    return s->mcr & UART_MCR_LOOP ? 0 : fifo_room(s, &s->rx);
}

static void serial_read_chr(void *opaque, const uint8_t *buf, int size)
{
    rx_push(opaque, buf, size);
}

static void serial_event(void *opaque, QEMUChrEvent event)
{
    static const uint8_t nul = 0;
    SerialState *s = opaque;

    if (event == CHR_EVENT_BREAK && fifo_room(s, &s->rx)) {
        s->lsr |= UART_LSR_BI;
        rx_push(s, &nul, 1);
    }
}

/* --- output --- */

static void transmit(SerialState *s);

static gboolean on_tx_ready(void *do_not_use, GIOCondition condition,
                            void *data)
{
    SerialState *s = data;

    s->tx_watch = 0;
    transmit(s);
    return FALSE;
}

/* Hands over what the character device takes; later, the rest. */
static void transmit(SerialState *s)
{
    int n = qemu_chr_fe_write(&s->chr, s->tx.data, s->tx.len);

    fifo_drop(&s->tx, MAX(n, 0));
    if (s->tx.len && !s->tx_watch) {
        s->tx_watch = qemu_chr_fe_add_watch(&s->chr, G_IO_OUT | G_IO_HUP,
                                            on_tx_ready, s);
        if (!s->tx_watch) {               /* nobody will ever take it */
            s->tx.len = 0;
        }
    }
    if (!s->tx.len) {
        s->lsr |= LSR_IDLE;
        s->thr_event = true;
        update_irq(s);
    }
}

static void write_thr(SerialState *s, uint8_t value)
{
    s->thr_event = false;
    if (s->mcr & UART_MCR_LOOP) {
        s->thr_event = true;
        rx_push(s, &value, 1);
        return;
    }
    if (fifo_room(s, &s->tx)) {
        s->tx.data[s->tx.len++] = value;
    }
    s->lsr &= ~LSR_IDLE;
    update_irq(s);
    if (!s->tx_watch) {
        transmit(s);
    }
}

/* --- registers --- */

static void write_ier(SerialState *s, uint8_t value)
{
    uint8_t turned_on = value & ~s->ier;

    s->ier = value & IER_MASK;
    if ((turned_on & UART_IER_THRI) && (s->lsr & UART_LSR_THRE)) {
        s->thr_event = true;
    }
    update_irq(s);
}

static void write_fcr(SerialState *s, uint8_t value)
{
    bool toggled = (value ^ s->fcr) & UART_FCR_ENABLE_FIFO;

    s->fcr = value & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK);
    if (!fifos_enabled(s)) {
        s->fcr = 0;
    }
    if (toggled || (value & UART_FCR_CLEAR_RCVR)) {
        s->rx.len = 0;
    }
    if (toggled || (value & UART_FCR_CLEAR_XMIT)) {
        s->tx.len = 0;
        s->lsr |= LSR_IDLE;
        s->thr_event = true;
    }
    rx_changed(s);
    qemu_chr_fe_accept_input(&s->chr);
}

/* In loopback mode the outputs of MCR are the inputs of MSR. */
static uint8_t modem_inputs(const SerialState *s)
{
    if (!(s->mcr & UART_MCR_LOOP)) {
        return MSR_CONNECTED;
    }
    return (s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0) |
           (s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0) |
           (s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0) |
           (s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0);
}

static void write_mcr(SerialState *s, uint8_t value)
{
    uint8_t old = s->msr & ~MSR_DELTA_MASK, now, changed;

    s->mcr = value & MCR_MASK;
    now = modem_inputs(s);
    changed = old ^ now;
    /* Delta bits are four below; RI has one for its trailing edge only. */
    s->msr = now | (s->msr & MSR_DELTA_MASK) |
             ((changed & ~UART_MSR_RI) >> 4) |
             ((changed & old & UART_MSR_RI) >> 4);
    update_irq(s);
    qemu_chr_fe_accept_input(&s->chr);
}

static uint8_t read_iir(SerialState *s)
{
    uint8_t id = interrupt_id(s);

    if (id == UART_IIR_THRI) {
        s->thr_event = false;
        update_irq(s);
    }
    return id | (fifos_enabled(s) ? IIR_FIFOS_ON : 0);
}

static uint8_t read_lsr(SerialState *s)
{
    uint8_t value = s->lsr;

    s->lsr &= ~LSR_ERRORS;
    update_irq(s);
    return value;
}

static uint8_t read_msr(SerialState *s)
{
    uint8_t value = s->msr;

    s->msr &= ~MSR_DELTA_MASK;
    update_irq(s);
    return value;
}

static uint64_t serial_read_register(void *opaque, hwaddr addr, unsigned size)
{
    SerialState *s = opaque;
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (addr) {
    case UART_RX:
        return dlab ? s->divisor & 0xff : rx_pop(s);
    case UART_IER:
        return dlab ? s->divisor >> 8 : s->ier;
    case UART_IIR:
        return read_iir(s);
    case UART_LCR:
        return s->lcr;
    case UART_MCR:
        return s->mcr;
    case UART_LSR:
        return read_lsr(s);
    case UART_MSR:
        return read_msr(s);
    default:
        return s->scr;
    }
}

static void serial_write_register(void *opaque, hwaddr addr, uint64_t val,
                                  unsigned size)
{
    SerialState *s = opaque;
    bool dlab = s->lcr & UART_LCR_DLAB;

    switch (addr) {
    case UART_TX:
        if (dlab) {
            s->divisor = (s->divisor & 0xff00) | val;
        } else {
            write_thr(s, val);
        }
        break;
    case UART_IER:
        if (dlab) {
            s->divisor = (s->divisor & 0xff) | val << 8;
        } else {
            write_ier(s, val);
        }
        break;
    case UART_FCR:
        write_fcr(s, val);
        break;
    case UART_LCR:
        s->lcr = val;
        break;
    case UART_MCR:
        write_mcr(s, val);
        break;
    case UART_SCR:
        s->scr = val;
        break;
    default:                              /* LSR, MSR: read only */
        break;
    }
}

static const MemoryRegionOps serial_io_ops = {
    .read = serial_read_register,
    .write = serial_write_register,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .impl = { .min_access_size = 1, .max_access_size = 1 },
};

/* --- life --- */

static void cancel_tx_watch(SerialState *s)
{
    if (s->tx_watch) {
        g_source_remove(s->tx_watch);
        s->tx_watch = 0;
    }
}

static void serial_reset(DeviceState *dev)
{
    SerialState *s = SERIAL(dev);

    cancel_tx_watch(s);
    s->divisor = DIVISOR_DEFAULT;
    s->ier = 0;
    s->fcr = 0;
    s->lcr = 0;
    s->mcr = UART_MCR_OUT2;
    s->lsr = LSR_IDLE;
    s->msr = MSR_CONNECTED;
    s->scr = 0;
    s->thr_event = false;
    s->tx.len = 0;
    s->rx.len = 0;
    rx_changed(s);
}

static void use_chardev(SerialState *s);

/* What waits in the FIFO goes to the new one. */
static int on_chardev_change(void *opaque)
{
    SerialState *s = opaque;

    cancel_tx_watch(s);
    use_chardev(s);
    if (s->tx.len) {
        transmit(s);
    }
    return 0;
}

static void use_chardev(SerialState *s)
{
    qemu_chr_fe_set_handlers(&s->chr, serial_can_read, serial_read_chr,
                             serial_event, on_chardev_change, s, NULL, true);
}

static void serial_realize(DeviceState *dev, Error **errp)
{
    SerialState *s = SERIAL(dev);

    if (!qemu_chr_fe_get_driver(&s->chr)) {
        error_setg(errp, "chardev= is missing");
        return;
    }
    if (s->place.iobase > UINT16_MAX + 1 - SERIAL_PORTS) {
        error_setg(errp, "iobase=0x%x: an I/O port is at most "
                   "0x%x", s->place.iobase, UINT16_MAX + 1 - SERIAL_PORTS);
        return;
    }
    s->rx_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, on_rx_timeout, s);
    memory_region_init_io(&s->io, OBJECT(s), &serial_io_ops, s, "serial",
                          SERIAL_PORTS);
    memory_region_add_subregion(get_system_io(), s->place.iobase, &s->io);
    serial_reset(dev);
    use_chardev(s);
}

static void serial_unrealize(DeviceState *dev)
{
    SerialState *s = SERIAL(dev);

    cancel_tx_watch(s);
    qemu_chr_fe_deinit(&s->chr, false);
    memory_region_del_subregion(get_system_io(), &s->io);
    object_unparent(OBJECT(&s->io));
    timer_free(s->rx_timer);
}

static const Property serial_properties[] = {
    DEFINE_PROP_UINT32("index", SerialState, place.index, SERIAL_UNSET),
    DEFINE_PROP_UINT32("iobase", SerialState, place.iobase, SERIAL_UNSET),
    DEFINE_PROP_UINT32("irq", SerialState, place.irq, SERIAL_UNSET),
    DEFINE_PROP_CHR("chardev", SerialState, chr),
    DEFINE_PROP_END_OF_LIST(),
};

static void serial_instance_init(Object *obj)
{
    sysbus_init_irq(SYS_BUS_DEVICE(obj), &SERIAL(obj)->irq);
}

static void serial_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = serial_realize;
    dc->unrealize = serial_unrealize;
    dc->reset = serial_reset;
    dc->user_creatable = true;
    dc->hotpluggable = false;
    dc->desc = "serial port";
    set_bit(DEVICE_CATEGORY_INPUT, dc->categories);
    device_class_set_props(dc, serial_properties);
}

static const TypeInfo serial_types[] = {
    {
        .name = TYPE_ISA_SERIAL,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(SerialState),
        .instance_init = serial_instance_init,
        .class_init = serial_class_init,
    },
};
DEFINE_TYPES(serial_types)

/* --- for the machine --- */

SerialPlace *serial_place(DeviceState *dev)
{
    return &SERIAL(dev)->place;
}

uint16_t serial_isa_base(unsigned index)
{
    static const uint16_t bases[SERIAL_MAX_PORTS] = {
        0x3f8, 0x2f8, 0x3e8, 0x2e8,
    };

    g_assert(index < SERIAL_MAX_PORTS);
    return bases[index];
}

/* COM1 and COM3 share one, and so do COM2 and COM4. */
unsigned serial_isa_irq(unsigned index)
{
    return index % 2 ? 3 : 4;
}
