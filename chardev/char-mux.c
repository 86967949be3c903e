/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mux=on: several front ends share a character device, typically the serial
 * port and a monitor the terminal. All may write; input goes to the one in
 * focus, and what begins with Ctrl-a is for the mux itself. It must never lose
 * input as long as its small buffers have room, nor read more when not.
 */
#include "qemu/osdep.h"

#include "chardev/char.h"

#define MUX_MAX_FRONT_ENDS 4
#define MUX_BUFFER_SIZE 32
#define MUX_ESCAPE 0x01                   /* Ctrl-a */

/* Input that its front end did not take yet. */
typedef struct MuxBuffer {
    uint8_t bytes[MUX_BUFFER_SIZE];
    unsigned len;
} MuxBuffer;

typedef struct MuxChardev {
    Chardev parent_obj;                   /* .be is the one in focus */

    char *chardev;                        /* option: the device's label */
    CharBackend base;                     /* we are its front end */
    CharBackend *front_ends[MUX_MAX_FRONT_ENDS];
    MuxBuffer buffers[MUX_MAX_FRONT_ENDS];
    bool escaped;                         /* Ctrl-a was the last byte */
} MuxChardev;

DECLARE_INSTANCE_CHECKER(MuxChardev, MUX_CHARDEV, TYPE_CHARDEV_MUX)

/* Whoever can end the emulator. */
static NotifierList quit_notifiers = NOTIFIER_LIST_INITIALIZER(quit_notifiers);

void qemu_chr_add_quit_notifier(Notifier *notifier)
{
    notifier_list_add(&quit_notifiers, notifier);
}

/* --- front ends ----------------------------------------------------------- */

static void mux_send_event(CharBackend *b, QEMUChrEvent event)
{
    if (b && b->chr_event) {
        b->chr_event(b->opaque, event);
    }
}

static bool mux_attach(Chardev *chr, CharBackend *b, Error **errp)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    for (unsigned i = 0; i < MUX_MAX_FRONT_ENDS; i++) {
        if (!mux->front_ends[i]) {
            mux->front_ends[i] = b;
            mux->buffers[i].len = 0;
            b->tag = i;
            return true;
        }
    }
    error_setg(errp, "too many uses of multiplexed chardev '%s' (maximum is "
               "%d)", chr->label, MUX_MAX_FRONT_ENDS);
    return false;
}

/* The first one has the focus from the start: OPENED is all it is told. */
static void mux_take_focus(Chardev *chr, CharBackend *b)
{
    CharBackend *before = chr->be;

    chr->be = b;
    if (before && b != before) {
        mux_send_event(before, CHR_EVENT_MUX_OUT);
        mux_send_event(b, CHR_EVENT_MUX_IN);
    }
}

/* The one after @tag, round about; itself if it is alone; NULL: none. */
static CharBackend *mux_next(MuxChardev *mux, unsigned tag)
{
    for (unsigned i = 1; i <= MUX_MAX_FRONT_ENDS; i++) {
        CharBackend *b = mux->front_ends[(tag + i) % MUX_MAX_FRONT_ENDS];

        if (b) {
            return b;
        }
    }
    return NULL;
}

static void mux_detach(Chardev *chr, CharBackend *b)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    mux->front_ends[b->tag] = NULL;
    if (chr->be == b) {
        chr->be = mux_next(mux, b->tag);
        mux_send_event(chr->be, CHR_EVENT_MUX_IN);
    }
}

/* --- input ---------------------------------------------------------------- */

/* Hands over what waited for the front end in focus. */
static void mux_flush(MuxChardev *mux)
{
    Chardev *chr = CHARDEV(mux);
    MuxBuffer *buffer = chr->be ? &mux->buffers[chr->be->tag] : NULL;

    while (buffer && buffer->len && qemu_chr_be_can_write(chr) > 0) {
        uint8_t byte = buffer->bytes[0];

        memmove(buffer->bytes, buffer->bytes + 1, --buffer->len);
        qemu_chr_be_write(chr, &byte, 1);
        buffer = chr->be ? &mux->buffers[chr->be->tag] : NULL;
    }
}

static int mux_can_read(void *opaque)
{
    MuxChardev *mux = opaque;
    CharBackend *focus = CHARDEV(mux)->be;

    return focus ? MUX_BUFFER_SIZE - (int)mux->buffers[focus->tag].len : 0;
}

/* What a reader does not take is lost. */
static void mux_help(MuxChardev *mux)
{
    static const char help[] =
        "\n\rC-a h    this help\n\r"
        "C-a x    end the emulator\n\r"
        "C-a b    send a break\n\r"
        "C-a c    switch between the serial port and the monitor\n\r"
        "C-a C-a  send C-a\n\r";

    qemu_chr_fe_write(&mux->base, (const uint8_t *)help, strlen(help));
}

static void mux_terminate(MuxChardev *mux)
{
    static const char text[] = "\n\rsparsevm: Terminated\n\r";

    qemu_chr_fe_write(&mux->base, (const uint8_t *)text, strlen(text));
    notifier_list_notify(&quit_notifiers, mux);
}

/* The key after Ctrl-a. */
static void mux_command(MuxChardev *mux, uint8_t key)
{
    Chardev *chr = CHARDEV(mux);

    switch (key) {
    case 'h':
    case '?':
        mux_help(mux);
        break;
    case 'x':
        mux_terminate(mux);
        break;
    case 'b':
        mux_send_event(chr->be, CHR_EVENT_BREAK);
        break;
    case 'c':
        mux_take_focus(chr, mux_next(mux, chr->be->tag));
        break;
    default:
        break;
    }
}

/* A byte for the front end in focus, behind those that it has not taken. */
static void mux_input(MuxChardev *mux, uint8_t byte)
{
    MuxBuffer *buffer = &mux->buffers[CHARDEV(mux)->be->tag];

    if (buffer->len < MUX_BUFFER_SIZE) {
        buffer->bytes[buffer->len++] = byte;
    }
    mux_flush(mux);
}

static void mux_read(void *opaque, const uint8_t *buf, int size)
{
    MuxChardev *mux = opaque;

    for (int i = 0; i < size && CHARDEV(mux)->be; i++) {
        if (mux->escaped && buf[i] != MUX_ESCAPE) {
            mux->escaped = false;
            mux_command(mux, buf[i]);
        } else if (buf[i] == MUX_ESCAPE && !mux->escaped) {
            mux->escaped = true;
        } else {
            mux->escaped = false;
            mux_input(mux, buf[i]);
        }
    }
}

static void mux_accept_input(Chardev *chr)
{
    MuxChardev *mux = MUX_CHARDEV(chr);

    mux_flush(mux);
    qemu_chr_fe_accept_input(&mux->base);
}

static void mux_event(void *opaque, QEMUChrEvent event)
{
    MuxChardev *mux = opaque;

    CHARDEV(mux)->be_open = qemu_chr_fe_backend_open(&mux->base);
    for (unsigned i = 0; i < MUX_MAX_FRONT_ENDS; i++) {
        mux_send_event(mux->front_ends[i], event);
    }
}

/* --- output --------------------------------------------------------------- */

static int mux_write(Chardev *chr, const uint8_t *buf, int len)
{
    return qemu_chr_fe_write(&MUX_CHARDEV(chr)->base, buf, len);
}

static CharBackend *mux_output(Chardev *chr)
{
    return &MUX_CHARDEV(chr)->base;
}

static void mux_disconnect(Chardev *chr)
{
    qemu_chr_fe_disconnect(&MUX_CHARDEV(chr)->base);
}

/* --- the type ------------------------------------------------------------- */

static bool mux_open(Chardev *chr, Error **errp)
{
    MuxChardev *mux = MUX_CHARDEV(chr);
    Chardev *base = mux->chardev ? qemu_chr_find(mux->chardev) : NULL;

    if (!base) {
        error_setg(errp, "chardev: mux: no chardev '%s'",
                   mux->chardev ? mux->chardev : "");
        return false;
    }
    if (!qemu_chr_fe_init(&mux->base, base, errp)) {
        return false;
    }
    chr->filename = g_strdup_printf("mux:%s", base->filename);
    qemu_chr_fe_set_handlers(&mux->base, mux_can_read, mux_read, mux_event,
                             NULL, mux, NULL, true);
    return true;
}

static void mux_finalize(Object *obj)
{
    MuxChardev *mux = MUX_CHARDEV(obj);

    CHARDEV(mux)->be = NULL;
    for (unsigned i = 0; i < MUX_MAX_FRONT_ENDS; i++) {
        if (mux->front_ends[i]) {
            mux->front_ends[i]->chr = NULL;
        }
    }
    qemu_chr_fe_deinit(&mux->base, false);
}

static const ChardevOption mux_options[] = {
    { .name = "chardev", .kind = CHARDEV_OPTION_STR,
      .offset = offsetof(MuxChardev, chardev),
      .description = "The device that is shared" },
    { },
};

static void mux_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->open = mux_open;
    cc->chr_write = mux_write;
    cc->chr_accept_input = mux_accept_input;
    cc->chr_disconnect = mux_disconnect;
    cc->chr_attach = mux_attach;
    cc->chr_detach = mux_detach;
    cc->chr_take_focus = mux_take_focus;
    cc->chr_output = mux_output;
    chardev_class_add_options(klass, mux_options);
}

static const TypeInfo mux_types[] = {
    {
        .name = TYPE_CHARDEV_MUX,
        .parent = TYPE_CHARDEV,
        .instance_size = sizeof(MuxChardev),
        .instance_finalize = mux_finalize,
        .class_init = mux_class_init,
    },
};

DEFINE_TYPES(mux_types)
