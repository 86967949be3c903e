/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -chardev stdio: standard input and output. A terminal is put into raw mode,
 * so that the guest gets each key, and back at the end. It must never leave a
 * terminal, or a pipe shared with other processes, other than it found it.
 */
#include "qemu/osdep.h"

#include "qemu/sandbox-need.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>

#include "char-fd.h"

typedef struct StdioChardev {
    FDChardev parent_obj;

    bool signal;                          /* Ctrl-C and the like are signals */
} StdioChardev;

DECLARE_INSTANCE_CHECKER(StdioChardev, STDIO_CHARDEV, TYPE_CHARDEV_STDIO)

/* --- the terminal: there is one ------------------------------------------- */

static bool stdio_in_use;
static bool terminal_saved;
static struct termios terminal_before;

static void restore_terminal(void)
{
    if (terminal_saved) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal_before);
    }
}

/* Returns at once if standard input is no terminal. */
static void save_terminal(void)
{
    static bool restores_at_exit;

    terminal_saved = tcgetattr(STDIN_FILENO, &terminal_before) == 0;
    if (terminal_saved && !restores_at_exit) {
        restores_at_exit = true;
        sandbox_need(SANDBOX_TERMINAL);
        atexit(restore_terminal);
    }
}

static void stdio_set_echo(Chardev *chr, bool echo)
{
    struct termios tty = terminal_before;

    if (!terminal_saved) {
        return;
    }
    if (!echo) {
        cfmakeraw(&tty);
        /* The emulator's own messages still end in a plain newline. */
        tty.c_oflag |= OPOST | ONLCR;
        if (STDIO_CHARDEV(chr)->signal) {
            tty.c_lflag |= ISIG;
        }
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &tty);
}

/* --- descriptors ---------------------------------------------------------- */

/*
 * A nonblocking descriptor for what @fd is. O_NONBLOCK belongs to the open
 * file, which other processes share; so a terminal or pipe is opened anew.
 */
static int open_own(int fd, int flags)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    struct stat st;
    int own = -1;

    if (fstat(fd, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode))) {
        own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    }
    if (own < 0) {
        own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (own >= 0) {
            fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK);
        }
    }
    return own;
}

static bool stdio_open(Chardev *chr, Error **errp)
{
    int in, out, err;

    if (stdio_in_use) {
        error_setg(errp, "cannot use stdio by multiple character devices");
        return false;
    }
    in = open_own(STDIN_FILENO, O_RDONLY);
    out = in < 0 ? -1 : open_own(STDOUT_FILENO, O_WRONLY);
    err = errno;
    if (out < 0) {
        error_setg_errno(errp, err, "cannot use standard %s for chardev '%s'",
                         in < 0 ? "input" : "output", chr->label);
        if (in >= 0) {
            close(in);
        }
        return false;
    }
    stdio_in_use = true;
    chr->filename = g_strdup("stdio");
    save_terminal();
    stdio_set_echo(chr, false);
    fd_chardev_start(chr, in, out);
    return true;
}

static void stdio_init(Object *obj)
{
    STDIO_CHARDEV(obj)->signal = true;
}

static void stdio_finalize(Object *obj)
{
    if (FD_CHARDEV(obj)->fd_in >= 0) {
        restore_terminal();
        terminal_saved = false;
        stdio_in_use = false;
    }
}

static const ChardevOption stdio_options[] = {
    { .name = "signal", .kind = CHARDEV_OPTION_BOOL,
      .offset = offsetof(StdioChardev, signal),
      .description = "Ctrl-C and Ctrl-Z are for the emulator, not for the guest" },
    { },
};

static void stdio_class_init(ObjectClass *klass, void *data)
{
    ChardevClass *cc = CHARDEV_CLASS(klass);

    cc->backend = "stdio";
    cc->help = "[signal=off]";
    cc->open = stdio_open;
    cc->chr_set_echo = stdio_set_echo;
    chardev_class_add_options(klass, stdio_options);
}

static const TypeInfo stdio_types[] = {
    {
        .name = TYPE_CHARDEV_STDIO,
        .parent = TYPE_CHARDEV_FD,
        .instance_size = sizeof(StdioChardev),
        .instance_init = stdio_init,
        .instance_finalize = stdio_finalize,
        .class_init = stdio_class_init,
    },
};

DEFINE_TYPES(stdio_types)
