/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A vhost-user back end that lies, in a thread, while its device is added, used
 * and removed, memory comes and goes, and it is lost and comes again.
 *
 * An input has two parts: what the back end says instead of the truth, and what
 * a guest and an administrator do meanwhile. As long as it has told no lie, what it
 * has been told of guest memory must be what is populated.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/virtio_config.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "chardev/char.h"
#include "hw/virtio/vhost-user-protocol.h"
#include "machine.h"
#include "qemu/units.h"
#include "tests/unit/property-value.h"

#define MOST_STEPS 60
#define MOST_FDS 16
#define MOST_REGIONS 256
/* What an answer that never comes costs. */
#define TIMEOUT_MS "50"
/* Longer than reconnect-ms=. */
#define RECONNECT_US 2000
#define VM_PATH "/machine/peripheral/vm"

bool fuzz_shares_memory = true;

typedef struct Region {
    uint64_t gpa, size;
} Region;

typedef struct Liar {
    GThread *thread;
    char *path;
    int listener;
    gint connection;                      /* atomic; -1: none */
    gint ends;                            /* atomic */
    FuzzInput in;
    uint64_t protocol_features, slots;
    bool lied;                            /* in this connection */
    Region regions[MOST_REGIONS];
    unsigned nr_regions;
    int call[4];                          /* eventfds of queues; -1 */
} Liar;

typedef struct Message {
    VhostUserMsg msg;
    uint8_t more[64];                     /* for answers that are too long */
    int fds[MOST_FDS];
    unsigned nr_fds;
} Message;

/* --- messages ------------------------------------------------------------- */

static void take_fds(Message *m, struct msghdr *hdr)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
        unsigned n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_type == SCM_RIGHTS && n <= MOST_FDS - m->nr_fds) {
            memcpy(m->fds + m->nr_fds, CMSG_DATA(c), n * sizeof(int));
            m->nr_fds += n;
        }
    }
}

static bool receive_part(int fd, Message *m, void *to, size_t size)
{
    char control[CMSG_SPACE(MOST_FDS * sizeof(int))];

    for (size_t done = 0; done < size;) {
        struct iovec iov = { (char *)to + done, size - done };
        struct msghdr hdr = {
            .msg_iov = &iov, .msg_iovlen = 1,
            .msg_control = control, .msg_controllen = sizeof(control),
        };
        ssize_t n = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);

        if (n <= 0) {
            return false;
        }
        take_fds(m, &hdr);
        done += n;
    }
    return true;
}

static bool receive(int fd, Message *m)
{
    VhostUserMsg *msg = &m->msg;

    m->nr_fds = 0;
    return receive_part(fd, m, &msg->header, sizeof(msg->header)) &&
           msg->header.size <= sizeof(msg->payload) &&
           receive_part(fd, m, (char *)msg + sizeof(msg->header),
                        msg->header.size);
}

/* @nr times the same descriptor. */
static void answer(int fd, const void *bytes, size_t size, unsigned nr)
{
    char control[CMSG_SPACE(MOST_FDS * sizeof(int))] = { 0 };
    struct iovec iov = { (void *)bytes, size };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
    int memory = nr ? memfd_create("inflight", MFD_CLOEXEC) : -1;

    if (nr) {
        struct cmsghdr *c;

        hdr.msg_control = control;
        hdr.msg_controllen = CMSG_SPACE(nr * sizeof(int));
        c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(nr * sizeof(int));
        for (unsigned i = 0; i < nr; i++) {
            memcpy(CMSG_DATA(c) + i * sizeof(int), &memory, sizeof(int));
        }
    }
    sendmsg(fd, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (memory >= 0) {
        close(memory);
    }
}

/* --- what it knows of memory ---------------------------------------------- */

static void add_region(Liar *liar, const VhostUserMemoryRegion *r)
{
    g_assert_cmpuint(liar->nr_regions, <, MOST_REGIONS);
    liar->regions[liar->nr_regions++] = (Region) { r->guest_phys_addr,
                                                   r->memory_size };
}

static void remove_region(Liar *liar, const VhostUserMemoryRegion *r)
{
    for (unsigned i = 0; i < liar->nr_regions; i++) {
        if (liar->regions[i].gpa == r->guest_phys_addr) {
            g_assert_cmphex(liar->regions[i].size, ==, r->memory_size);
            liar->regions[i] = liar->regions[--liar->nr_regions];
            return;
        }
    }
    g_assert_true(liar->lied);            /* it was never told of that one */
}

static void note_memory(Liar *liar, const Message *m)
{
    const VhostUserPayload payload = m->msg.payload, *p = &payload;

    switch (m->msg.header.request) {
    case VHOST_USER_SET_MEM_TABLE:
        liar->nr_regions = 0;
        for (uint32_t i = 0; i < p->table.nregions; i++) {
            add_region(liar, &p->table.regions[i]);
        }
        break;
    case VHOST_USER_ADD_MEM_REG:
        add_region(liar, &p->region.region);
        break;
    case VHOST_USER_REM_MEM_REG:
        remove_region(liar, &p->region.region);
        break;
    }
}

static void note_call(Liar *liar, const Message *m)
{
    unsigned n = m->msg.payload.u64 & 3;

    if (m->msg.header.request == VHOST_USER_SET_VRING_CALL && m->nr_fds) {
        if (liar->call[n] >= 0) {
            close(liar->call[n]);
        }
        liar->call[n] = fcntl(m->fds[0], F_DUPFD_CLOEXEC, 0);
    }
}

/* --- the truth, and lies -------------------------------------------------- */

/* Whether an answer belongs to the message by itself; which. */
static bool tell_truth(Liar *liar, VhostUserMsg *msg)
{
    switch (msg->header.request) {
    case VHOST_USER_GET_FEATURES:
        msg->payload.u64 = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_RING_PACKED |
                           1ULL << VHOST_USER_F_PROTOCOL_FEATURES;
        break;
    case VHOST_USER_GET_PROTOCOL_FEATURES:
        msg->payload.u64 = liar->protocol_features;
        break;
    case VHOST_USER_GET_QUEUE_NUM:
        msg->payload.u64 = 4;
        break;
    case VHOST_USER_GET_MAX_MEM_SLOTS:
        msg->payload.u64 = liar->slots;
        break;
    case VHOST_USER_GET_VRING_BASE:
    case VHOST_USER_GET_CONFIG:
    case VHOST_USER_GET_INFLIGHT_FD:
        return true;
    default:
        return false;
    }
    msg->header.size = sizeof(msg->payload.u64);
    return true;
}

/* Of a message of @size bytes with *nr_fds descriptors. How many bytes are to be
 * sent; 0: no more at all. */
static size_t lie(Liar *liar, Message *m, size_t size, unsigned *nr_fds)
{
    FuzzInput *in = &liar->in;
    uint8_t kind = in->at < in->end ? fuzz_u8(in) & 15 : 0;
    uint8_t *bytes = (uint8_t *)&m->msg;

    liar->lied |= kind > 3;
    switch (kind) {
    case 4:                               /* it refuses, or claims a number */
        m->msg.payload.u64 = fuzz_number(in);
        break;
    case 5:
        bytes[fuzz_u8(in) % size] = fuzz_u8(in);
        break;
    case 6:
        for (unsigned i = 0; i < 8; i++) {
            bytes[sizeof(VhostUserHeader) + fuzz_u8(in)] = fuzz_u8(in);
        }
        break;
    case 7:
        *nr_fds = fuzz_u8(in) % MOST_FDS;
        break;
    case 8:                               /* too short, too long */
        return fuzz_u16(in) % (size + sizeof(m->more));
    case 9:
        m->msg.header.size = fuzz_number(in);
        break;
    case 10:
        m->msg.payload.state.num = fuzz_u16(in);
        break;
    case 11:
        return 0;
    case 12:                              /* hours later */
        g_usleep(1000 * (fuzz_u8(in) & 63));
        break;
    }
    return size;
}

/* Interrupts that nobody waits for. */
static void call(Liar *liar)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(liar->call); i++) {
        if (liar->call[i] >= 0) {
            eventfd_write(liar->call[i], 1);
        }
    }
}

/* false: the connection is over. */
static bool handle(Liar *liar, int fd, Message *m)
{
    VhostUserMsg *msg = &m->msg;
    bool wanted = msg->header.flags & VHOST_USER_FLAG_NEED_REPLY;
    unsigned nr_fds = msg->header.request == VHOST_USER_GET_INFLIGHT_FD;
    size_t size;

    note_memory(liar, m);
    note_call(liar, m);
    if (!tell_truth(liar, msg)) {
        if (!wanted) {
            return true;
        }
        msg->payload.u64 = 0;
        msg->header.size = sizeof(msg->payload.u64);
    }
    msg->header.flags = VHOST_USER_VERSION | VHOST_USER_FLAG_REPLY;
    size = lie(liar, m, sizeof(msg->header) + msg->header.size, &nr_fds);
    if (size) {
        answer(fd, msg, size, nr_fds);
        call(liar);
    }
    return size;
}

/* --- the thread ----------------------------------------------------------- */

static void serve(Liar *liar, int fd)
{
    Message m = { 0 };
    bool goes_on;

    liar->nr_regions = 0;
    liar->lied = false;
    do {
        goes_on = receive(fd, &m) && handle(liar, fd, &m);
        while (m.nr_fds) {
            close(m.fds[--m.nr_fds]);
        }
    } while (goes_on);
    for (unsigned i = 0; i < G_N_ELEMENTS(liar->call); i++) {
        if (liar->call[i] >= 0) {
            close(liar->call[i]);
            liar->call[i] = -1;
        }
    }
}

static gpointer run(gpointer opaque)
{
    Liar *liar = opaque;
    int fd;

    while (!g_atomic_int_get(&liar->ends) &&
           (fd = accept4(liar->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        g_atomic_int_set(&liar->connection, fd);
        serve(liar, fd);
        g_atomic_int_set(&liar->connection, -1);
        close(fd);
    }
    return NULL;
}

static void start(Liar *liar)
{
    static unsigned serial;
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    uint8_t what = fuzz_u8(&liar->in);

    liar->protocol_features = 1ULL << VHOST_USER_PROTOCOL_F_MQ |
                              1ULL << VHOST_USER_PROTOCOL_F_CONFIG;
    liar->protocol_features |=
        (uint64_t)!(what & 1) << VHOST_USER_PROTOCOL_F_REPLY_ACK |
        (uint64_t)!(what & 2) << VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS |
        (uint64_t)!(what & 4) << VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD;
    liar->slots = what & 8 ? 3 + (what >> 4) : MOST_REGIONS;
    liar->path = g_strdup_printf("%s/fuzz-vhost-user-%d-%u", g_get_tmp_dir(),
                                 getpid(), serial++);
    liar->connection = -1;
    memset(liar->call, 0xff, sizeof(liar->call));
    g_strlcpy(addr.sun_path, liar->path, sizeof(addr.sun_path));
    liar->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(liar->listener, (struct sockaddr *)&addr, sizeof(addr)),
                    ==, 0);
    g_assert_cmpint(listen(liar->listener, 4), ==, 0);
    liar->thread = g_thread_new("liar", run, liar);
}

/* It goes, and comes again if somebody connects. */
static void hang_up(Liar *liar)
{
    int fd = g_atomic_int_get(&liar->connection);

    if (fd >= 0) {
        shutdown(fd, SHUT_RDWR);
    }
}

static void stop(Liar *liar)
{
    g_atomic_int_set(&liar->ends, 1);
    shutdown(liar->listener, SHUT_RDWR);
    hang_up(liar);
    g_thread_join(liar->thread);
    close(liar->listener);
    unlink(liar->path);
    g_free(liar->path);
}

/* --- a guest and an administrator ----------------------------------------- */

static void add_device(Liar *liar, FuzzInput *in)
{
    bool fs = fuzz_u8(in) & 1;

    fuzz_qmp("{'execute': 'device_add', 'arguments': {'driver': 'vhost-user-%s-pci', "
             "'id': 'h0', 'bus': 'rp0', 'chardev': 'v0', 'x-msg-timeout': "
             TIMEOUT_MS "%s}}", fs ? "fs" : "blk", fs ? ", 'tag': 't'" : "");
    fuzz_assign_bars(FUZZ_HOT);
    fuzz_virtio_find(FUZZ_HOT);
    fuzz_virtio_setup(in, FUZZ_HOT);
    fuzz_settle();
}

static void resize(FuzzInput *in)
{
    uint8_t what = fuzz_u8(in);

    fuzz_qmp("{'execute': 'qom-set', 'arguments': {'path': '" VM_PATH "%u', "
             "'property': 'requested-size', 'value': %u}}", what & 1,
             (what >> 1 & 15) * 8 * (unsigned)MiB);
}

static void step(Liar *liar, FuzzInput *in)
{
    FuzzSlot slot = fuzz_below(in, 2) ? FUZZ_VM1 : FUZZ_VM0;

    switch (fuzz_below(in, 12)) {
    case 0:
        add_device(liar, in);
        break;
    case 1:
        fuzz_virtio_setup(in, slot);
        break;
    case 2:
    case 3:
    case 4:
        fuzz_virtio_mem_requests(in, slot);
        break;
    case 5:
        fuzz_virtio_setup(in, FUZZ_HOT);
        break;
    case 6:
        fuzz_virtio_registers(in, FUZZ_HOT);
        break;
    case 7:
        fuzz_virtio_ring(in, FUZZ_HOT);
        break;
    case 8:
        resize(in);
        break;
    case 9:
        hang_up(liar);
        fuzz_settle();
        g_usleep(RECONNECT_US);
        fuzz_settle();
        break;
    case 10:
        fuzz_qmp("{'execute': '%s'}", fuzz_u8(in) & 1 ? "stop" : "cont");
        break;
    default:
        fuzz_settle();
    }
}

static uint64_t plugged(unsigned i)
{
    g_autofree char *path = g_strdup_printf(VM_PATH "%u", i);
    g_autofree char *value = property_value(object_resolve_path(path, NULL),
                                            "size");

    return g_ascii_strtoull(value, NULL, 10);
}

/* What an honest back end has, if it is connected and takes that many regions. */
static void check_memory(Liar *liar)
{
    struct pollfd p = { .fd = g_atomic_int_get(&liar->connection),
                        .events = POLLRDHUP };
    uint64_t has = 0;

    if (p.fd < 0 || poll(&p, 1, 0) || !liar->nr_regions || liar->lied ||
        liar->slots < MOST_REGIONS ||
        !(liar->protocol_features >>
          VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS & 1)) {
        return;
    }
    for (unsigned i = 0; i < liar->nr_regions; i++) {
        has += liar->regions[i].size;
    }
    g_assert_cmpuint(has, ==, FUZZ_RAM_SIZE + plugged(0) + plugged(1));
}

int fuzz_one(const uint8_t *data, size_t size)
{
    size_t half = size ? MIN(data[0] * 4U, size - 1) : 0;
    Liar liar = { .in = { data + !!size, data + !!size + half } };
    FuzzInput in = { data + !!size + half, data + size };
    g_autofree char *chardev = NULL;
    CharBackend front_end = { 0 };

    fuzz_fresh();
    start(&liar);
    chardev = g_strdup_printf("socket,id=v0,reconnect-ms=1,path=%s", liar.path);
    qemu_chr_new_from_text(chardev, &error_abort);
    fuzz_settle();
    add_device(&liar, &in);
    for (unsigned i = 0; in.at < in.end && i < MOST_STEPS; i++) {
        step(&liar, &in);
    }
    fuzz_settle();
    check_memory(&liar);
    fuzz_fresh();
    qemu_chr_fe_init(&front_end, qemu_chr_find("v0"), &error_abort);
    qemu_chr_fe_deinit(&front_end, true);
    stop(&liar);
    return 0;
}
