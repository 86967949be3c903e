/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm-pit: what the kernel's timer (8254) does about ticks that the guest was
 * too late for. The timer itself comes and goes with the virtual machine; the
 * board makes one of these for it, if KVM runs the guest.
 */
#include "qemu/osdep.h"
#include <linux/kvm.h>

#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "kvm-pit.h"
#include "sysemu/kvm.h"

typedef enum LostTickPolicy {
    LOST_TICK_POLICY_DELAY,               /* they come later */
    LOST_TICK_POLICY_DISCARD,             /* they never come */
    LOST_TICK_POLICY__MAX,
} LostTickPolicy;

static const QEnumLookup LostTickPolicy_lookup = {
    .array = (const char *const[]) {
        [LOST_TICK_POLICY_DELAY] = "delay",
        [LOST_TICK_POLICY_DISCARD] = "discard",
    },
    .size = LOST_TICK_POLICY__MAX,
};

OBJECT_DECLARE_SIMPLE_TYPE(KVMPITState, KVM_PIT)

struct KVMPITState {
    SysBusDevice parent_obj;

    LostTickPolicy policy;
};

/* The kernel's own way is to deliver all ticks. */
static void kvm_pit_realize(DeviceState *dev, Error **errp)
{
    KVMPITState *s = KVM_PIT(dev);
    struct kvm_reinject_control control = {
        .pit_reinject = s->policy == LOST_TICK_POLICY_DELAY,
    };
    int ret;

    if (control.pit_reinject) {
        return;
    }
    ret = kvm_vm_ioctl(kvm_state, KVM_REINJECT_CONTROL, &control);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "lost_tick_policy=discard: the host's KVM "
                         "refuses");
    }
}

static const Property kvm_pit_properties[] = {
    DEFINE_PROP_ENUM("lost_tick_policy", KVMPITState, policy,
                     LOST_TICK_POLICY_DELAY, LostTickPolicy_lookup,
                     LostTickPolicy),
    DEFINE_PROP_END_OF_LIST(),
};

static void kvm_pit_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->realize = kvm_pit_realize;
    device_class_set_props(dc, kvm_pit_properties);
}

static const TypeInfo kvm_pit_types[] = {
    {
        .name = TYPE_KVM_PIT,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(KVMPITState),
        .class_init = kvm_pit_class_init,
    },
};
DEFINE_TYPES(kvm_pit_types)
