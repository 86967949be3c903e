/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-serial from both its ends: the guest's driver, and the peer of the
 * character devices, as libvirt is the guest agent's. Included by one C file per
 * test program.
 */
#ifndef QTEST_VIRTIO_SERIAL_GUEST_H
#define QTEST_VIRTIO_SERIAL_GUEST_H

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "virtio-pci.h"

#define BIT(feature) (1ULL << VIRTIO_CONSOLE_F_##feature)
#define CONTROL_SIZE sizeof(struct virtio_console_control)
#define AGENT "org.qemu.guest_agent.0"
#define ROOM 4096
#define NR_CONTROL 8                      /* buffers for control messages */

typedef struct Fixture {
    QTestState *qts;
    QmpClient *qmp;
    QGuest guest;
    QVirtioPCI dev;
    QVirtQueue rx, tx;                    /* of the port that is tested */
    QVirtQueue control_rx, control_tx;
    uint64_t mem;                         /* a page for each purpose */
    char *dir, *path;                     /* the character device's socket */
    int peer;                             /* our end of it; -1: none */
} Fixture;

/* --- the host's side ------------------------------------------------------ */

static void connect_peer(Fixture *f)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_strlcpy(addr.sun_path, f->path, sizeof(addr.sun_path));
    f->peer = socket(AF_UNIX, SOCK_STREAM, 0);
    g_assert_no_errno(connect(f->peer, (struct sockaddr *)&addr, sizeof(addr)));
}

static void hang_up(Fixture *f)
{
    close(f->peer);
    f->peer = -1;
}

static void peer_sends(Fixture *f, const char *text)
{
    g_assert_cmpint(write(f->peer, text, strlen(text)), ==, strlen(text));
}

/* Reads @size bytes. */
static void peer_reads(Fixture *f, void *buf, size_t size)
{
    gint64 deadline = qtest_deadline();
    unsigned round = 0;

    for (size_t done = 0; done < size; ) {
        ssize_t n = recv(f->peer, (char *)buf + done, size - done, MSG_DONTWAIT);

        if (n > 0) {
            done += n;
        } else {
            g_assert_cmpint(n, <, 0);
            g_assert_true(qtest_wait_more(deadline, &round));
        }
    }
}

static void peer_expects(Fixture *f, const char *text)
{
    char buf[64];

    g_assert_cmpuint(strlen(text), <, sizeof(buf));
    peer_reads(f, buf, strlen(text));
    g_assert_cmpmem(buf, strlen(text), text, strlen(text));
}

/* --- the driver ----------------------------------------------------------- */

static uint64_t page(Fixture *f, unsigned n)
{
    return f->mem + n * ROOM;
}

static void give(Fixture *f, QVirtQueue *vq, uint64_t addr)
{
    const QVirtioBuffer buf = { addr, ROOM, true };

    qvirtqueue_add(vq, &buf, 1);
    qvirtqueue_kick(vq);
}

static void send_at(Fixture *f, QVirtQueue *vq, uint64_t addr, const void *data,
                    size_t size)
{
    const QVirtioBuffer buf = { addr, size, false };

    qtest_memwrite(f->qts, addr, data, size);
    qvirtqueue_add(vq, &buf, 1);
    qvirtqueue_kick(vq);
}

static void say(Fixture *f, uint32_t nr, uint16_t event, uint16_t value)
{
    const struct virtio_console_control m = { nr, event, value };

    send_at(f, &f->control_tx, page(f, 0), &m, sizeof(m));
    qvirtqueue_wait(&f->control_tx, NULL);
}

/* The next message from the device; the text that follows it, in @text. */
static struct virtio_console_control hear(Fixture *f, char *text)
{
    struct virtio_console_control m;
    uint32_t len;
    static unsigned n;

    qvirtqueue_wait(&f->control_rx, &len);
    g_assert_cmpuint(len, >=, sizeof(m));
    /* They are used in the order in which they were given. */
    n = f->control_rx.used_idx - 1;
    qtest_memread(f->qts, page(f, 1 + n % NR_CONTROL), &m, sizeof(m));
    if (text) {
        qtest_memread(f->qts, page(f, 1 + n % NR_CONTROL) + sizeof(m), text,
                      len - sizeof(m));
    }
    give(f, &f->control_rx, page(f, 1 + n % NR_CONTROL));
    return m;
}

static void expect(Fixture *f, uint32_t nr, uint16_t event, uint16_t value)
{
    struct virtio_console_control m = hear(f, NULL);

    g_assert_cmpuint(m.id, ==, nr);
    g_assert_cmpuint(m.event, ==, event);
    g_assert_cmpuint(m.value, ==, value);
}

static void start(Fixture *f, const char *devices)
{
    f->dir = g_dir_make_tmp("serial-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "channel", NULL);
    f->peer = -1;
    f->qts = qtest_init("-M q35 -m 64M -device pcie-root-port,id=rp0 "
                        "-chardev socket,id=c0,path=%s,server=on,wait=off "
                        "-device virtio-serial-pci,id=virtio-serial0 %s",
                        f->path, devices);
    f->qmp = qtest_qmp(f->qts);
    qguest_init(&f->guest, f->qts);
    qvirtio_pci_init(&f->dev, &f->guest, VIRTIO_ID_CONSOLE, 0);
    f->mem = qguest_alloc(&f->guest, 32 * ROOM, 4096);
}

/* @queue: the first of the port's. */
static void start_driver(Fixture *f, uint64_t features, unsigned queue)
{
    g_assert_cmphex(qvirtio_start(&f->dev, features) & features, ==, features);
    qvirtqueue_init(&f->rx, &f->dev, queue, 0);
    qvirtqueue_init(&f->tx, &f->dev, queue + 1, 0);
    if (features) {
        qvirtqueue_init(&f->control_rx, &f->dev, 2, 0);
        qvirtqueue_init(&f->control_tx, &f->dev, 3, 0);
    }
    qvirtio_driver_ok(&f->dev);
}

static void give_control_room(Fixture *f)
{
    for (unsigned n = 0; n < NR_CONTROL; n++) {
        give(f, &f->control_rx, page(f, 1 + n));
    }
}

/* The driver knows port 1, which is there. */
static void meet_port(Fixture *f)
{
    start_driver(f, BIT(MULTIPORT), 4);
    give_control_room(f);
    say(f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    expect(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1);
}

static void start_channel(Fixture *f, const char *more)
{
    g_autofree char *devices = g_strconcat(
        "-device virtserialport,bus=virtio-serial0.0,nr=1,chardev=c0,"
        "id=channel0,name=" AGENT " ", more, NULL);

    start(f, devices);
    meet_port(f);
}

static void stop(Fixture *f)
{
    qtest_quit(f->qts);
    if (f->peer >= 0) {
        close(f->peer);
    }
    rmdir(f->dir);
    g_free(f->dir);
    g_free(f->path);
}

static void expect_change(Fixture *f, bool open)
{
    JsonObject *event = qmp_client_event(f->qmp, "VSERPORT_CHANGE");
    JsonObject *data = json_object_get_object_member(event, "data");

    g_assert_cmpstr(json_object_get_string_member(data, "id"), ==, "channel0");
    g_assert_true(json_object_get_boolean_member(data, "open") == open);
    json_object_unref(event);
    qtest_clock_step(f->qts, 2000000000);     /* the next one is sent at once */
}

static void expect_frontend(Fixture *f, bool open)
{
    JsonNode *list = qmp_client_do(f->qmp, "{'execute': 'query-chardev'}");
    JsonArray *array = json_node_get_array(list);

    for (guint i = 0; i < json_array_get_length(array); i++) {
        JsonObject *info = json_array_get_object_element(array, i);

        if (!strcmp(json_object_get_string_member(info, "label"), "c0")) {
            g_assert_true(json_object_get_boolean_member(info, "frontend-open")
                          == open);
        }
    }
    json_node_unref(list);
}

static void expect_in_guest(Fixture *f, uint64_t addr, const char *text)
{
    char buf[64];
    uint32_t len;

    qvirtqueue_wait(&f->rx, &len);
    g_assert_cmpuint(len, ==, strlen(text));
    qtest_memread(f->qts, addr, buf, len);
    g_assert_cmpmem(buf, len, text, strlen(text));
}

#endif
