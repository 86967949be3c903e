/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -device vfio-user-pci,socket=PATH: a PCI function that another process
 * emulates. What the guest sees of it is made by the same code as for a
 * passed-through function of this host; only the way to it is another.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "hw/qdev-properties.h"
#include "hw/vfio/pci.h"
#include "qemu/fdset.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"
#include "sysemu/runstate.h"
#include "client.h"

#define TYPE_VFIO_USER_PCI "vfio-user-pci"
OBJECT_DECLARE_TYPE(VFIOUserPCI, VFIOUserPCIClass, VFIO_USER_PCI)

struct VFIOUserPCI {
    VFIOPCIDevice parent_obj;

    char *socket;
    int fd;                               /* connected already; -1: not so */
    uint32_t timeout_ms;
    /* Why the connection broke while realize went on, or NULL. */
    Error *broken;
};

struct VFIOUserPCIClass {
    VFIOPCIDeviceClass parent_class;

    void (*parent_realize)(PCIDevice *pdev, Error **errp);
};

/* --- to the server --- */

/* Up to what the device consists of. Any thread: see vfio_user_device_new(). A copy
 * of the descriptor is in *@copy, the caller's, as soon as there is one; NULL: he
 * needs none. */
static bool vfio_user_pci_connect(VFIOUserPCI *upci, gint *copy, Error **errp)
{
    VFIODevice *vbasedev = &upci->parent_obj.vbasedev;
    int64_t since = g_get_monotonic_time();
    int fd = upci->fd >= 0 ? upci->fd
             : vfio_user_connect(upci->socket, upci->timeout_ms, errp);

    upci->fd = -1;
    if (fd < 0) {
        error_prepend(errp, "vfio-user-pci: ");
        return false;
    }
    if (copy) {
        g_atomic_int_set(copy, fcntl(fd, F_DUPFD_CLOEXEC, 0));
        qemu_notify_event();
    }
    vbasedev->user = vfio_user_device_new(fd, upci->socket, upci->timeout_ms,
                                          since, errp);
    if (!vbasedev->user) {
        return false;
    }
    vbasedev->io = &vfio_user_device_io;
    vbasedev->name = g_strdup(upci->socket);
    return true;
}

/* Main thread: what is open already is in a set. */
static bool vfio_user_pci_check(VFIOUserPCI *upci, Error **errp)
{
    if (!upci->socket || !upci->timeout_ms) {
        error_setg(errp, "vfio-user-pci: %s",
                   upci->socket ? "x-msg-timeout=0: it is in milliseconds, 1 "
                                  "or more"
                                : "socket=PATH must say where the server "
                                  "listens");
        return false;
    }
    upci->fd = -1;
    if (fdset_is_path(upci->socket)) {
        upci->fd = fdset_open(upci->socket, O_RDWR, errp);
        return upci->fd >= 0;
    }
    return true;
}

typedef struct Preparation {
    VFIOUserPCI *upci;
    Error *err;
    gint fd;                              /* of the connection; -1: none; atomic,
                                             as is done */
    gint done;
} Preparation;

static gpointer prepare_thread(gpointer opaque)
{
    Preparation *p = opaque;

    if (vfio_user_pci_connect(p->upci, &p->fd, &p->err)) {
        vfio_device_probe(&p->upci->parent_obj.vbasedev, &p->err);
    }
    g_atomic_int_set(&p->done, 1);
    qemu_notify_event();
    return NULL;
}

/* The program ends: whoever waits is told that nothing more will come. */
static void give_up(void *opaque)
{
    Preparation *p = opaque;

    shutdown(g_atomic_int_get(&p->fd), SHUT_RDWR);
}

/* A server that does not answer must not hold the main loop. */
static void vfio_user_pci_prepare(DeviceState *dev, Error **errp)
{
    Preparation p = { .upci = VFIO_USER_PCI(dev), .fd = -1 };
    GThread *thread;

    if (!vfio_user_pci_check(p.upci, errp)) {
        return;
    }
    /* It connects for the main loop, as which it may. */
    thread = qemu_thread_try_new(QEMU_THREAD_MAIN, "vfio-user", prepare_thread, &p,
                                 errp);
    if (!thread) {
        return;
    }
    qemu_main_loop_await(&p.done, give_up, &p);
    g_thread_join(thread);
    if (p.fd >= 0) {
        close(p.fd);
    }
    error_propagate(errp, p.err);
}

static bool vfio_user_pci_open(VFIOPCIDevice *vdev, Error **errp)
{
    VFIOUserPCI *upci = VFIO_USER_PCI(vdev);
    AddressSpace *as = pci_device_iommu_address_space(PCI_DEVICE(vdev));

    if (!vdev->vbasedev.user && (!vfio_user_pci_check(upci, errp) ||
                                 !vfio_user_pci_connect(upci, NULL, errp))) {
        return false;
    }
    if (!vfio_user_device_attach(vdev->vbasedev.user, as, errp)) {
        VFIO_PCI_BASE_GET_CLASS(vdev)->close(vdev);
        return false;
    }
    vdev->vbasedev.container = &vdev->vbasedev.user->container;
    return true;
}

static void vfio_user_pci_close(VFIOPCIDevice *vdev)
{
    VFIOUserPCI *upci = VFIO_USER_PCI(vdev);
    VFIODevice *vbasedev = &vdev->vbasedev;

    if (!vbasedev->user->live && vfio_user_device_broken(vbasedev->user)) {
        upci->broken =
            error_copy(vfio_user_socket_error(vbasedev->user->socket));
    }
    vfio_user_device_free(vbasedev->user);
    vbasedev->user = NULL;
    vbasedev->container = NULL;
    vbasedev->io = NULL;
    g_clear_pointer(&vbasedev->name, g_free);
    /* If it was prepared and its server then refuses memory, nobody else does. */
    vfio_device_cleanup(vbasedev);
}

/* A connection that breaks meanwhile is the better reason for a failure; and a
 * failure even if nothing else went wrong. */
static void vfio_user_pci_realize(PCIDevice *pdev, Error **errp)
{
    ERRP_GUARD();
    VFIOUserPCI *upci = VFIO_USER_PCI(pdev);
    VFIOUserDevice *user;

    VFIO_USER_PCI_GET_CLASS(upci)->parent_realize(pdev, errp);
    if (*errp) {
        if (upci->broken) {
            g_clear_error(errp);
            error_propagate(errp, g_steal_pointer(&upci->broken));
        }
        return;
    }
    user = upci->parent_obj.vbasedev.user;
    vfio_user_device_set_live(user, &upci->parent_obj.vbasedev);
    if (vfio_user_device_broken(user)) {
        PCI_DEVICE_GET_CLASS(pdev)->exit(pdev);
        error_propagate(errp,
                        error_copy(vfio_user_socket_error(user->socket)));
    }
}

static void vfio_user_pci_init(Object *obj)
{
    VFIO_USER_PCI(obj)->fd = -1;
}

static void vfio_user_pci_finalize(Object *obj)
{
    VFIOUserPCI *upci = VFIO_USER_PCI(obj);

    if (upci->fd >= 0) {
        close(upci->fd);
    }
    if (upci->broken) {
        error_free(upci->broken);
    }
}

static const Property vfio_user_pci_properties[] = {
    DEFINE_PROP_STRING("socket", VFIOUserPCI, socket),
    DEFINE_PROP_UINT32("x-msg-timeout", VFIOUserPCI, timeout_ms, 5000),
    DEFINE_PROP_END_OF_LIST(),
};

static void vfio_user_pci_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);
    VFIOPCIDeviceClass *vc = VFIO_PCI_BASE_CLASS(klass);
    VFIOUserPCIClass *uc = VFIO_USER_PCI_CLASS(klass);

    dc->prepare = vfio_user_pci_prepare;
    dc->desc = "PCI device that another process emulates (vfio-user)";
    device_class_set_props(dc, vfio_user_pci_properties);
    uc->parent_realize = pc->realize;
    pc->realize = vfio_user_pci_realize;
    vc->open = vfio_user_pci_open;
    vc->close = vfio_user_pci_close;
}

static const TypeInfo vfio_user_pci_types[] = {
    {
        .name = TYPE_VFIO_USER_PCI,
        .parent = TYPE_VFIO_PCI_BASE,
        .instance_size = sizeof(VFIOUserPCI),
        .instance_init = vfio_user_pci_init,
        .instance_finalize = vfio_user_pci_finalize,
        .class_size = sizeof(VFIOUserPCIClass),
        .class_init = vfio_user_pci_class_init,
    },
};

DEFINE_TYPES(vfio_user_pci_types)
