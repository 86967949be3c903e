/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vfio-user server that lies: what the test device says passes through this
 * program, which changes it as the input says, while a device is added, used as a
 * guest would, and removed.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fuzz.h"
#include "hw/vfio-user/protocol.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "tests/unit/pci-fixture.h"
#include "tests/unit/testdev-thread.h"

#define BAR0 0xe0000000ULL
#define BAR1 0xe0010000ULL
#define BAR2 0xe0100000ULL
/* A server whose answer is lost costs that much. */
#define TIMEOUT "x-msg-timeout=100"
#define MOST_BYTES (1 * MiB)
#define MOST_IRQS 16

typedef struct Liar {
    TestDevThread server;
    GThread *thread;
    char *path;
    int listener;
    FuzzInput in;
    int irqs[MOST_IRQS];                  /* eventfds that the server was given */
    unsigned nr_irqs;
} Liar;

/* --- passing messages on -------------------------------------------------- */

typedef struct Piece {
    char data[MOST_BYTES];
    ssize_t size;
    int fds[VFIO_USER_MAX_FDS];
    unsigned nr_fds;
} Piece;

static bool receive(int fd, Piece *piece)
{
    char control[CMSG_SPACE(sizeof(piece->fds))];
    struct iovec iov = { piece->data, sizeof(piece->data) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1,
        .msg_control = control, .msg_controllen = sizeof(control),
    };
    struct cmsghdr *cmsg;

    piece->nr_fds = 0;
    piece->size = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
    if (piece->size <= 0) {
        return false;
    }
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg && cmsg->cmsg_type == SCM_RIGHTS) {
        piece->nr_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(piece->fds, CMSG_DATA(cmsg), piece->nr_fds * sizeof(int));
    }
    return true;
}

static bool pass(int fd, Piece *piece)
{
    char control[CMSG_SPACE(sizeof(piece->fds))] = { 0 };
    struct iovec iov = { piece->data, piece->size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    bool ok;

    if (piece->nr_fds) {
        struct cmsghdr *cmsg;

        msg.msg_control = control;
        msg.msg_controllen = CMSG_SPACE(piece->nr_fds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&msg);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(piece->nr_fds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), piece->fds, piece->nr_fds * sizeof(int));
    }
    ok = sendmsg(fd, &msg, MSG_NOSIGNAL) == piece->size;
    for (unsigned i = 0; i < piece->nr_fds; i++) {
        close(piece->fds[i]);
    }
    return ok;
}

/* --- lying ---------------------------------------------------------------- */

/* Overwrites some bytes behind the header, or of all of it. */
static void overwrite(FuzzInput *in, Piece *piece, size_t from)
{
    for (unsigned n = 1 + fuzz_below(in, 8); n > 0; n--) {
        size_t at = from + fuzz_u8(in);

        if (at < (size_t)piece->size) {
            piece->data[at] = fuzz_u8(in);
        }
    }
}

static void resize(FuzzInput *in, Piece *piece)
{
    VFIOUserHeader *header = (VFIOUserHeader *)piece->data;
    size_t size = piece->size + (int16_t)fuzz_u16(in);

    if (size >= sizeof(*header) && size <= sizeof(piece->data)) {
        if (size > (size_t)piece->size) {
            memset(piece->data + piece->size, fuzz_u8(in), size - piece->size);
        }
        piece->size = size;
        header->size = size;
    }
}

/* Every second page of a huge region, up to 65535 of them, can be mapped. */
static void claim_areas(FuzzInput *in, Piece *piece)
{
    struct vfio_region_info *info =
        (void *)(piece->data + sizeof(VFIOUserHeader));
    struct vfio_region_info_cap_sparse_mmap *cap = (void *)(info + 1);
    VFIOUserHeader *header = (VFIOUserHeader *)piece->data;
    uint32_t nr = fuzz_u16(in);
    size_t size = sizeof(*header) + sizeof(*info) + sizeof(*cap) +
                  nr * sizeof(cap->areas[0]);

    if (header->command != VFIO_USER_DEVICE_GET_REGION_INFO ||
        size > sizeof(piece->data)) {
        return;
    }
    info->argsz = size - sizeof(*header);
    info->flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
    info->cap_offset = sizeof(*info);
    info->size = 1 * GiB;
    *cap = (struct vfio_region_info_cap_sparse_mmap) {
        .header = { .id = VFIO_REGION_INFO_CAP_SPARSE_MMAP, .version = 1 },
        .nr_areas = nr,
    };
    for (uint32_t i = 0; i < nr; i++) {
        cap->areas[i].offset = 8 * KiB * i;
        cap->areas[i].size = 4 * KiB;
    }
    header->size = piece->size = size;
}

/* --- noise ---------------------------------------------------------------- */

static void keep_irqs(Liar *liar, const Piece *piece)
{
    const VFIOUserHeader *header = (const VFIOUserHeader *)piece->data;

    for (unsigned i = 0; header->command == VFIO_USER_DEVICE_SET_IRQS &&
                         i < piece->nr_fds && liar->nr_irqs < MOST_IRQS; i++) {
        liar->irqs[liar->nr_irqs++] = fcntl(piece->fds[i], F_DUPFD_CLOEXEC, 0);
    }
}

/* All interrupts again and again, whether they are wanted or not. */
static void storm(Liar *liar)
{
    const uint64_t one = 1;

    for (unsigned n = fuzz_u8(&liar->in); n > 0; n--) {
        for (unsigned i = 0; i < liar->nr_irqs; i++) {
            if (write(liar->irqs[i], &one, sizeof(one)) < 0) {
                return;
            }
        }
    }
}

static void lie(Liar *liar, Piece *piece)
{
    FuzzInput *in = &liar->in;

    switch (fuzz_below(in, 8)) {
    case 2:
        storm(liar);
        break;
    case 3:
        claim_areas(in, piece);
        break;
    case 4:
        overwrite(in, piece, sizeof(VFIOUserHeader));
        break;
    case 5:
        resize(in, piece);
        overwrite(in, piece, sizeof(VFIOUserHeader));
        break;
    case 6:
        overwrite(in, piece, 0);
        break;
    case 7:
        piece->nr_fds = MIN(piece->nr_fds, fuzz_below(in, 2));
        break;
    }
}

static void relay(Liar *liar, int client, int server)
{
    g_autofree Piece *piece = g_new(Piece, 1);
    struct pollfd fds[] = { { client, POLLIN, 0 }, { server, POLLIN, 0 } };

    while (poll(fds, 2, -1) > 0) {
        if (fds[0].revents) {
            if (!receive(client, piece)) {
                return;
            }
            keep_irqs(liar, piece);
            if (!pass(server, piece)) {
                return;
            }
        }
        if (fds[1].revents) {
            if (!receive(server, piece)) {
                return;
            }
            lie(liar, piece);
            if (!pass(client, piece)) {
                return;
            }
        }
    }
}

static gpointer run(gpointer opaque)
{
    Liar *liar = opaque;
    const TestDevOptions options = { 0 };
    int client = accept4(liar->listener, NULL, NULL, SOCK_CLOEXEC);
    int server = testdev_thread_start(&liar->server, &options);

    if (client >= 0) {
        relay(liar, client, server);
        close(client);
    }
    close(server);
    testdev_thread_stop(&liar->server);
    while (liar->nr_irqs) {
        close(liar->irqs[--liar->nr_irqs]);
    }
    return NULL;
}

static void start(Liar *liar)
{
    static unsigned serial;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    liar->path = g_strdup_printf("%s/fuzz-vfio-user-%d-%u", g_get_tmp_dir(),
                                 getpid(), serial++);
    g_strlcpy(addr.sun_path, liar->path, sizeof(addr.sun_path));
    liar->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(liar->listener, (struct sockaddr *)&addr, sizeof(addr)),
                    ==, 0);
    g_assert_cmpint(listen(liar->listener, 1), ==, 0);
    liar->thread = g_thread_new("liar", run, liar);
}

static void stop(Liar *liar)
{
    shutdown(liar->listener, SHUT_RDWR);
    g_thread_join(liar->thread);
    close(liar->listener);
    unlink(liar->path);
    g_free(liar->path);
}

/* --- a guest -------------------------------------------------------------- */

static void use(PCIDevice *dev)
{
    pci_board_map_bar(dev, 0, BAR0);
    pci_board_map_bar(dev, 1, BAR1);
    pci_board_map_bar(dev, 2, BAR2);
    if (dev->msix_cap) {
        cfg_write(dev, dev->msix_cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
        mem_write(BAR1, TEST_MSI_BASE, 4);
        mem_write(BAR1 + 12, 0, 4);
    }
    for (unsigned i = 0; i < 4; i++) {
        mem_read(BAR0 + 8 * i, 4);
        mem_write(BAR0 + TESTDEV_REG_TRIGGER, i << 16, 4);
        mem_read(BAR2 + 4096 * i, 4);
        cfg_read(dev, 4 * i, 4);
        pci_board_poll();
    }
}

int fuzz_one(const uint8_t *data, size_t size)
{
    Liar liar = { .in = { data, data + size } };
    g_autofree char *socket = NULL;
    Error *err = NULL;
    PCIDevice *dev;

    pci_board_clear();
    start(&liar);
    socket = g_strdup_printf("socket=%s", liar.path);
    dev = pci_board_new("vfio-user-pci", socket, TIMEOUT, NULL);
    if (qdev_realize_and_unref(DEVICE(dev), BUS(pci_board()->bus), &err)) {
        use(dev);
        pci_board_unplug(dev);
    }
    error_free(err);
    stop(&liar);
    return 0;
}
