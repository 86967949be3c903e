/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Character devices: streams of bytes to and from the world outside. Each is
 * a QOM object, /chardevs/LABEL, whose options are its properties. Front ends
 * use chardev/char-fe.h; this is for those who make them, and for the kinds
 * themselves (chardev/). Big lock held.
 *
 * A chardev may be in an I/O thread (qemu_chr_fe_set_aio_context()): then its
 * input is read, chr_write() called and its log written in turns of that. All else
 * is the main loop's, with the thread paused; what a turn finds out that has
 * further consequences it leaves to chr_rest().
 */
#ifndef CHARDEV_CHAR_H
#define CHARDEV_CHAR_H

#include <json-glib/json-glib.h>

#include "chardev/char-fe.h"
#include "qemu/aio-context.h"
#include "qemu/main-loop.h"
#include "qemu/notify.h"
#include "qemu/queue.h"
#include "qom/object.h"

#define TYPE_CHARDEV "chardev"
#define TYPE_CHARDEV_FD "chardev-fd"
#define TYPE_CHARDEV_FILE "chardev-file"
#define TYPE_CHARDEV_MUX "chardev-mux"
#define TYPE_CHARDEV_NULL "chardev-null"
#define TYPE_CHARDEV_PIPE "chardev-pipe"
#define TYPE_CHARDEV_PTY "chardev-pty"
#define TYPE_CHARDEV_SOCKET "chardev-socket"
#define TYPE_CHARDEV_STDIO "chardev-stdio"

typedef struct ChardevClass ChardevClass;
DECLARE_OBJ_CHECKERS(Chardev, ChardevClass, CHARDEV, TYPE_CHARDEV)

/* --- making and finding them --------------------------------------------- */

/*
 * -chardev BACKEND,id=ID,...: "backend" and "id" of @opts, the other members
 * are properties; mux=on lets several front ends share it. @opts stays the
 * caller's. The tree owns the result. NULL and *errp: nothing is left.
 */
Chardev *qemu_chr_new_from_json(JsonObject *opts, bool keyval, Error **errp);
/* The same from the option's text. */
Chardev *qemu_chr_new_from_text(const char *text, Error **errp);
/*
 * The short forms of -serial, -monitor, -qmp: stdio, null, pty, file:PATH,
 * pipe:PATH, unix:PATH[,server=on][,wait=off], tcp:[HOST]:PORT[,...],
 * chardev:ID, and with "mon:" before it, shared. The new chardev is @label.
 */
Chardev *qemu_chr_parse_compat(const char *label, const char *text,
                               Error **errp);
/*
 * The same for a machine that runs: nothing may wait, so wait= is off and cannot
 * be on, and standard input and output are not to be had; nor is anything if
 * qemu_may_open() says so.
 */
Chardev *qemu_chr_add(JsonObject *opts, bool keyval, Error **errp);
/* Deletes the chardev @id; if it is shared, with the device behind it. false and
 * *errp: there is none, or somebody uses it. */
bool qemu_chr_remove(const char *id, Error **errp);
/*
 * Puts a new chardev, which @opts describe as for qemu_chr_add(), in the place of
 * the one that has its id; whoever uses that uses the new one. NULL and *errp:
 * nothing has changed.
 */
Chardev *qemu_chr_change(JsonObject *opts, bool keyval, Error **errp);
/* NULL if there is none. */
Chardev *qemu_chr_find(const char *label);
/* Calls @fn, which must not delete any, for each of them ... */
void qemu_chr_foreach(void (*fn)(Chardev *chr, void *opaque), void *opaque);
/* ... and for each kind that -chardev makes. */
void qemu_chr_foreach_backend(void (*fn)(ChardevClass *cc, void *opaque),
                              void *opaque);
/* On stdout, for -chardev help. */
void qemu_chr_print_types(void);
/* Deletes them all: hangs up, removes sockets, restores the terminal. The
 * front ends must not use theirs afterwards. For atexit(). */
void qemu_chr_cleanup(void);

/* Told when somebody types Ctrl-a x on a shared character device. @notifier
 * must live for ever. */
void qemu_chr_add_quit_notifier(Notifier *notifier);

/* --- for the kinds of character device ------------------------------------ */

typedef struct ChardevWatch ChardevWatch;
typedef struct ChardevInput ChardevInput;

/* Reads what chardev_read_start() was told of; the front end takes @max bytes. */
typedef void ChardevReadHandler(Chardev *chr, int max);

struct Chardev {
    Object parent_obj;

    char *label;
    char *filename;                       /* for people: what it is */
    CharBackend *be;                      /* who gets the input; NULL: none */
    unsigned nr_front_ends;               /* that are attached */
    bool opened;                          /* options are final */
    bool be_open;                         /* a peer is there */
    char *log_path;                       /* also written there; NULL: no */
    bool log_append;
    int log_fd;                           /* -1: no, or no more */
    bool log_failed;                      /* it ends, which is not said yet */
    QEMUBH *rest_bh;                      /* calls chr_rest */

    /* Input. */
    int read_fd;                          /* -1: there is none */
    ChardevReadHandler *read;
    ChardevInput *input;                  /* the main loop's part; or NULL */

    AioContext *ctx;                      /* who reads and writes; NULL: the main
                                             loop */
    int turn_fds[2];                      /* that it knows: read, written; -1 */
    bool turns_read;                      /* until the front end takes nothing */
    QLIST_HEAD(, ChardevWatch) watches;   /* waiting for chr_write_fd */
};

/* An option of a kind of chardev: a member of its struct that is a char *
 * (freed with it), a bool, or a uint32_t. */
typedef enum ChardevOptionKind {
    CHARDEV_OPTION_STR,
    CHARDEV_OPTION_BOOL,
    CHARDEV_OPTION_UINT32,
} ChardevOptionKind;
typedef struct ChardevOption {
    const char *name;                     /* NULL ends an array */
    ChardevOptionKind kind;
    size_t offset;
    const char *description;
} ChardevOption;

/* All but open may be NULL. */
struct ChardevClass {
    ObjectClass parent_class;

    const char *backend;                  /* its name in -chardev; NULL: none */
    const char *help;                     /* one line */
    /* The options are set: begin. Announces the peer, if one is there. */
    bool (*open)(Chardev *chr, Error **errp);
    /* As qemu_chr_fe_write(), while a peer is there. */
    int (*chr_write)(Chardev *chr, const uint8_t *buf, int len);
    /* The descriptor that chr_write() writes to, or -1. */
    int (*chr_write_fd)(Chardev *chr);
    void (*chr_accept_input)(Chardev *chr);
    void (*chr_set_echo)(Chardev *chr, bool echo);
    void (*chr_disconnect)(Chardev *chr);
    /* As qemu_chr_fe_get_msgfd(). */
    int (*chr_get_msg_fd)(Chardev *chr);

    /* As qemu_chr_fe_get_socket(). */
    int (*chr_get_socket)(Chardev *chr);
    /* chardev_rest_later() was called. */
    void (*chr_rest)(Chardev *chr);

    /* A shared chardev: front ends come, go, and get the input. NULL: there is
     * one at most, and that is it. */
    bool (*chr_attach)(Chardev *chr, CharBackend *b, Error **errp);
    void (*chr_detach)(Chardev *chr, CharBackend *b);
    void (*chr_take_focus)(Chardev *chr, CharBackend *b);
    /* What it writes to: waiting is done there. */
    CharBackend *(*chr_output)(Chardev *chr);
};

/* Adds @options, which must live for ever, as properties. */
void chardev_class_add_options(ObjectClass *klass,
                               const ChardevOption *options);

/* Opens the log that the options ask for; true if there is none. */
bool chardev_log_open(Chardev *chr, Error **errp);
/* Writes what @chr has taken to its log, if there is one. */
void chardev_log(Chardev *chr, const uint8_t *buf, int len);

/* Has the main loop call chr_rest(), soon. In a turn, too. */
void chardev_rest_later(Chardev *chr);

/* What the front end takes now; 0 if there is none. */
int qemu_chr_be_can_write(Chardev *chr);
/* Hands it @len bytes, at most what qemu_chr_be_can_write() said. */
void qemu_chr_be_write(Chardev *chr, const uint8_t *buf, int len);
/* Tells it, and remembers, that a peer came or went. */
void qemu_chr_be_event(Chardev *chr, QEMUChrEvent event);
/* Reads @fd, which can be read, and hands on what comes:
 * as read(), with errno; -1 and EAGAIN: nothing came after all. */
ssize_t qemu_chr_be_read_fd(Chardev *chr, int fd, int max);
/* write(), restarted: as qemu_chr_fe_write(). */
int qemu_chr_write_fd(int fd, const uint8_t *buf, int len);

/* Calls @func when chr_write_fd() of @chr is ready; see
 * qemu_chr_fe_add_watch(). */
guint chardev_watch_add(Chardev *chr, GIOCondition cond, FEWatchFunc *func,
                        void *user_data);
/* The descriptor is about to be closed: all watches are told G_IO_HUP, soon, and
 * who awaits room is called. */
void chardev_watches_hang_up(Chardev *chr);

/* Calls @handler whenever @fd can be read and the front end of @chr takes
 * something: in the main loop, or in turns of chr->ctx. */
void chardev_read_start(Chardev *chr, int fd, ChardevReadHandler *handler);
/* No more; nothing, if it is not so. Before @fd is closed. In a turn, too. */
void chardev_read_stop(Chardev *chr);
/* For qemu_chr_fe_set_aio_context(), and for those that exchange chardevs. The
 * thread that has @chr, and @ctx, are paused. */
void chardev_set_aio_context(Chardev *chr, AioContext *ctx);

#endif
