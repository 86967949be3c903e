/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce-self: tells the network where the guest's addresses are, after it has
 * moved or its links have been changed: a RARP frame from each network device, and
 * drivers that can do better are asked to. Again and again, ever more seldom.
 */
#include "qemu/osdep.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>

#include "monitor/hmp.h"
#include "monitor/qmp.h"
#include "net/net-device.h"
#include "qapi/error.h"
#include "qemu/timer.h"

#define MS_MAX (100 * 1000)               /* of a delay */
#define ROUNDS_MAX 1000

/* One announce-self that is under way; they have names. */
typedef struct Announcement {
    char *id;
    int64_t initial, max, step;           /* ms */
    int64_t rounds, round;                /* in all; done */
    char **names;                         /* of devices; NULL: all */
    QEMUTimer *timer;
} Announcement;

/* id -> Announcement */
static GHashTable *announcements;

/* --- one round ------------------------------------------------------------ */

static void make_rarp(const MACAddr *mac, uint8_t *frame)
{
    struct ethhdr *eth = (struct ethhdr *)frame;
    struct ether_arp *arp = (struct ether_arp *)(eth + 1);

    memset(eth->h_dest, 0xff, ETH_ALEN);
    memcpy(eth->h_source, mac->a, ETH_ALEN);
    eth->h_proto = htons(ETH_P_RARP);
    arp->arp_hrd = htons(ARPHRD_ETHER);
    arp->arp_pro = htons(ETH_P_IP);
    arp->arp_hln = ETH_ALEN;
    arp->arp_pln = 4;
    arp->arp_op = htons(ARPOP_RREQUEST);
    memcpy(arp->arp_sha, mac->a, ETH_ALEN);
    memcpy(arp->arp_tha, mac->a, ETH_ALEN);
}

static void announce(NetDevice *dev, void *opaque)
{
    const Announcement *a = opaque;
    uint8_t frame[sizeof(struct virtio_net_hdr_v1) + ETH_ZLEN] = { 0 };
    Netdev *nd = dev->ends[0].peer ? dev->ends[0].peer->owner : NULL;
    size_t head = nd && nd->has_vnet_hdr ? sizeof(struct virtio_net_hdr_v1) : 0;
    struct iovec iov = { frame, head + ETH_ZLEN };

    if (a->names && !g_strv_contains((const char *const *)a->names, dev->name)) {
        return;
    }
    make_rarp(&dev->mac, frame + head);
    net_end_send(&dev->ends[0], &iov, 1);
    net_end_flush(&dev->ends[0]);
    if (dev->announce) {
        dev->announce(dev);
    }
}

static void run_round(void *opaque)
{
    Announcement *a = opaque;
    int64_t delay = MIN(a->initial + a->step * a->round, a->max);

    aio_pause_all();
    net_device_foreach(announce, a);
    aio_resume_all();
    if (++a->round < a->rounds) {
        timer_mod(a->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + delay);
    } else {
        g_hash_table_remove(announcements, a->id);
    }
}

/* --- commands ------------------------------------------------------------- */

static void free_announcement(void *opaque)
{
    Announcement *a = opaque;

    timer_free(a->timer);
    g_strfreev(a->names);
    g_free(a->id);
    g_free(a);
}

/* In place of the one that has its name. Takes @a. */
static void begin(Announcement *a)
{
    if (!announcements) {
        announcements = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                              free_announcement);
    }
    a->timer = timer_new_ms(QEMU_CLOCK_REALTIME, run_round, a);
    g_hash_table_replace(announcements, a->id, a);
    run_round(a);
}

static bool check_range(const char *name, int64_t value, int64_t max,
                        Error **errp)
{
    if (value < 0 || value > max) {
        error_setg(errp, "Parameter '%s' is %" PRId64 ", but must be 0 to "
                   "%" PRId64, name, value, max);
        return false;
    }
    return true;
}

static char **take_names(JsonObject *args)
{
    JsonArray *list = json_object_has_member(args, "interfaces")
        ? json_object_get_array_member(args, "interfaces") : NULL;
    guint n = list ? json_array_get_length(list) : 0;
    char **names = list ? g_new0(char *, n + 1) : NULL;

    for (guint i = 0; i < n; i++) {
        names[i] = g_strdup(json_array_get_string_element(list, i));
    }
    return names;
}

static JsonNode *qmp_announce_self(JsonObject *args, Error **errp)
{
    int64_t initial = json_object_get_int_member(args, "initial");
    int64_t max = json_object_get_int_member(args, "max");
    int64_t rounds = json_object_get_int_member(args, "rounds");
    int64_t step = json_object_get_int_member(args, "step");
    Announcement *a;

    if (!check_range("initial", initial, MS_MAX, errp) ||
        !check_range("max", max, MS_MAX, errp) ||
        !check_range("rounds", rounds, ROUNDS_MAX, errp) ||
        !check_range("step", step, MS_MAX, errp) || !rounds) {
        return NULL;
    }
    a = g_new0(Announcement, 1);
    a->id = g_strdup(json_object_get_string_member_with_default(args, "id", ""));
    a->initial = initial;
    a->max = max;
    a->rounds = rounds;
    a->step = step;
    a->names = take_names(args);
    begin(a);
    return NULL;
}

static const QmpCommand announce_commands[] = {
    { .name = "announce-self",
      .args = "initial:int,max:int,rounds:int,step:int,?interfaces:[str],?id:str",
      .fn = qmp_announce_self,
      .help =
      "Tells the network, now and then again, where the guest's addresses are.\n"
      "initial: milliseconds from the first to the second time\n"
      "max: milliseconds between two times, at most\n"
      "rounds: how many times, at most 1000\n"
      "step: milliseconds by which each wait is longer than the last\n"
      "interfaces: ids of network devices; left out, all\n"
      "id: a name; what is under way by the same name ends" },
};

/* As often as QEMU does. */
static void hmp_announce_self(GString *out, const char *args, Error **errp)
{
    Announcement *a = g_new0(Announcement, 1);

    a->id = g_strdup("");
    a->initial = 50;
    a->max = 550;
    a->rounds = 5;
    a->step = 100;
    if (*args) {
        a->names = g_strsplit(args, ",", -1);
    }
    begin(a);
}

static const HmpCommand hmp_announce_commands[] = {
    { "announce_self", "[device[,device...]]",
      "tell the network where the guest's addresses are", hmp_announce_self },
};

static void announce_commands_register(void)
{
    qmp_register_commands(announce_commands, ARRAY_SIZE(announce_commands));
    hmp_register_commands(hmp_announce_commands,
                          ARRAY_SIZE(hmp_announce_commands));
}
type_init(announce_commands_register)
