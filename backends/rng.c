/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources of random bytes: who waits for one, and the two that there are.
 * include/sysemu/rng.h has the contract.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "qapi/error.h"
#include "qemu/fdset.h"
#include "qemu/main-loop.h"
#include "qemu/may-open.h"
#include "qemu/sandbox-need.h"
#include "qom/object_interfaces.h"
#include "sysemu/rng.h"

/* --- waiting ------------------------------------------------------------- */

ssize_t rng_backend_read(RngBackend *s, void *buf, size_t size)
{
    return RNG_BACKEND_GET_CLASS(s)->read(s, buf, size);
}

static void tell_whether_waiting(RngBackend *s)
{
    RngBackendClass *k = RNG_BACKEND_GET_CLASS(s);

    if (k->wait) {
        k->wait(s, !QLIST_EMPTY(&s->waiting.notifiers));
    }
}

void rng_backend_wait(RngBackend *s, Notifier *n)
{
    notifier_list_add(&s->waiting, n);
    tell_whether_waiting(s);
}

void rng_backend_cancel(RngBackend *s, Notifier *n)
{
    notifier_remove(n);
    tell_whether_waiting(s);
}

static Notifier *take_first(NotifierList *list)
{
    Notifier *n = QLIST_FIRST(&list->notifiers);

    if (n) {
        notifier_remove(n);
    }
    return n;
}

/* Whoever is notified may wait anew, for the next time: hence two lists. */
void rng_backend_ready(RngBackend *s)
{
    NotifierList now;
    Notifier *n;

    notifier_list_init(&now);
    while ((n = take_first(&s->waiting))) {
        notifier_list_add(&now, n);
    }
    tell_whether_waiting(s);
    while ((n = take_first(&now))) {
        n->notify(n, s);
    }
}

static void rng_backend_instance_init(Object *obj)
{
    notifier_list_init(&RNG_BACKEND(obj)->waiting);
}

/* --- rng-builtin --------------------------------------------------------- */

static void rng_builtin_instance_init(Object *obj)
{
    sandbox_need(SANDBOX_RANDOM);
}

static ssize_t rng_builtin_read(RngBackend *s, void *buf, size_t size)
{
    ssize_t got = getrandom(buf, size, GRND_NONBLOCK);

    return got < 0 ? -errno : got;
}

static void rng_builtin_class_init(ObjectClass *klass, void *data)
{
    RNG_BACKEND_CLASS(klass)->read = rng_builtin_read;
}

/* --- rng-random ---------------------------------------------------------- */

OBJECT_DECLARE_SIMPLE_TYPE(RngRandom, RNG_RANDOM)

struct RngRandom {
    RngBackend parent_obj;

    char *filename;
    int fd;                               /* -1: not open yet */
};

static ssize_t rng_random_read(RngBackend *s, void *buf, size_t size)
{
    ssize_t got;

    do {
        got = read(RNG_RANDOM(s)->fd, buf, size);
    } while (got < 0 && errno == EINTR);
    /* A device that ends has failed. */
    return got < 0 ? -errno : got ? got : -ENODATA;
}

static void rng_random_readable(void *opaque)
{
    rng_backend_ready(RNG_BACKEND(opaque));
}

static void rng_random_wait(RngBackend *s, bool waiting)
{
    qemu_set_fd_handler(RNG_RANDOM(s)->fd,
                        waiting ? rng_random_readable : NULL, NULL, s);
}

/* Without waiting for anything that a path may name. */
static void rng_random_complete(UserCreatable *uc, Error **errp)
{
    ERRP_GUARD();
    RngRandom *s = RNG_RANDOM(uc);
    struct stat st;

    if (!qemu_may_open(errp)) {
        error_prepend(errp, "filename=%s: ", s->filename);
        return;
    }
    s->fd = fdset_or_open(s->filename, O_RDONLY | O_NONBLOCK | O_NOCTTY, errp);
    if (s->fd < 0) {
        s->fd = -1;
        error_prepend(errp, "filename=");
    } else if (fstat(s->fd, &st) || !S_ISCHR(st.st_mode)) {
        error_setg(errp, "filename=%s is no character device, as /dev/hwrng "
                   "and /dev/urandom are", s->filename);
    }
}

static char *get_filename(Object *obj, Error **errp)
{
    return g_strdup(RNG_RANDOM(obj)->filename);
}

static void set_filename(Object *obj, const char *value, Error **errp)
{
    RngRandom *s = RNG_RANDOM(obj);

    if (s->fd >= 0) {
        error_setg(errp, "filename cannot be changed any more: %s is open",
                   s->filename);
        return;
    }
    g_free(s->filename);
    s->filename = g_strdup(value);
}

static void rng_random_instance_init(Object *obj)
{
    RngRandom *s = RNG_RANDOM(obj);

    s->fd = -1;
    s->filename = g_strdup("/dev/urandom");
}

static void rng_random_finalize(Object *obj)
{
    RngRandom *s = RNG_RANDOM(obj);

    g_free(s->filename);
    if (s->fd >= 0) {
        rng_random_wait(&s->parent_obj, false);
        close(s->fd);
    }
}

static void rng_random_class_init(ObjectClass *klass, void *data)
{
    RngBackendClass *k = RNG_BACKEND_CLASS(klass);

    k->read = rng_random_read;
    k->wait = rng_random_wait;
    USER_CREATABLE_CLASS(klass)->complete = rng_random_complete;
    object_class_property_add_str(klass, "filename", get_filename, set_filename);
    object_class_property_set_description(klass, "filename",
                                          "The character device to read");
}

/* --- types --------------------------------------------------------------- */

static const TypeInfo rng_types[] = {
    {
        .name = TYPE_RNG_BACKEND,
        .parent = TYPE_OBJECT,
        .abstract = true,
        .instance_size = sizeof(RngBackend),
        .instance_init = rng_backend_instance_init,
        .class_size = sizeof(RngBackendClass),
        .interfaces = (InterfaceInfo[]) {
            { TYPE_USER_CREATABLE },
            { },
        },
    },
    {
        .name = TYPE_RNG_BUILTIN,
        .parent = TYPE_RNG_BACKEND,
        .instance_init = rng_builtin_instance_init,
        .class_init = rng_builtin_class_init,
    },
    {
        .name = TYPE_RNG_RANDOM,
        .parent = TYPE_RNG_BACKEND,
        .instance_size = sizeof(RngRandom),
        .instance_init = rng_random_instance_init,
        .instance_finalize = rng_random_finalize,
        .class_init = rng_random_class_init,
    },
};
DEFINE_TYPES(rng_types)
