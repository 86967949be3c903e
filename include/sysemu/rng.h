/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources of random bytes, as objects: -object rng-builtin (the kernel's
 * generator) and -object rng-random,filename= (a character device, such as
 * /dev/hwrng). virtio-rng gives a guest what they have; several devices may
 * share one. Big lock held, but for rng_backend_read(), which may be called by any
 * thread.
 */
#ifndef SYSEMU_RNG_H
#define SYSEMU_RNG_H

#include "qemu/notify.h"
#include "qom/object.h"

#define TYPE_RNG_BACKEND "rng-backend"
#define TYPE_RNG_BUILTIN "rng-builtin"
#define TYPE_RNG_RANDOM "rng-random"

typedef struct RngBackend RngBackend;
typedef struct RngBackendClass RngBackendClass;
DECLARE_OBJ_CHECKERS(RngBackend, RngBackendClass, RNG_BACKEND, TYPE_RNG_BACKEND)

struct RngBackend {
    Object parent_obj;

    NotifierList waiting;                 /* rng_backend_wait() */
};

struct RngBackendClass {
    ObjectClass parent_class;

    /* As rng_backend_read(). */
    ssize_t (*read)(RngBackend *s, void *buf, size_t size);
    /* Somebody waits: rng_backend_ready() is to be called once there are bytes.
     * Again: nobody does any more. NULL: read() always has some. */
    void (*wait)(RngBackend *s, bool waiting);
};

/*
 * Puts up to @size (not 0) random bytes into @buf; how many. -EAGAIN: there are
 * none now, rng_backend_wait() tells when there are; another -errno: the source
 * has failed.
 */
ssize_t rng_backend_read(RngBackend *s, void *buf, size_t size);
/* Has @n notified once when there are bytes. It is the caller's, and not waiting
 * already. */
void rng_backend_wait(RngBackend *s, Notifier *n);
/* Takes back what rng_backend_wait() asked for, if @n was not notified yet. */
void rng_backend_cancel(RngBackend *s, Notifier *n);

/* For backends: there are bytes; notifies all who wait. */
void rng_backend_ready(RngBackend *s);

#endif
