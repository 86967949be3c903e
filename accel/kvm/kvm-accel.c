/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The accelerator "kvm": opens /dev/kvm, checks that the host's KVM has what
 * this emulator builds on, and creates the one virtual machine.
 *
 * A host that lacks something must be told from one that has it here, before
 * the machine is built: later code relies on it and does not ask again.
 */
#include "qemu/osdep.h"

#include <fcntl.h>

#include "kvm-internal.h"
#include "hw/boards.h"
#include "qapi/error.h"
#include "qemu/fdset.h"
#include "qemu/sandbox-need.h"

#define DEVICE "/dev/kvm"

KVMState *kvm_state;
bool kvm_allowed;
bool kvm_kernel_irqchip;
bool kvm_irqfds_allowed;
bool kvm_resamplefds_allowed;
bool kvm_ioeventfds_allowed;

/* What is asked of KVM. All are in Linux 4.12 and later. */
static const struct {
    unsigned int cap;
    const char *name;
} required_caps[] = {
#define CAP(x) { KVM_CAP_##x, "KVM_CAP_" #x }
    CAP(USER_MEMORY), CAP(DESTROY_MEMORY_REGION_WORKS), CAP(READONLY_MEM),
    CAP(IRQCHIP), CAP(IRQ_ROUTING), CAP(IRQFD), CAP(IOEVENTFD),
    CAP(SIGNAL_MSI), CAP(PIT2), CAP(PIT_STATE2), CAP(SET_TSS_ADDR),
    CAP(SET_IDENTITY_MAP_ADDR), CAP(EXT_CPUID), CAP(MP_STATE),
    CAP(VCPU_EVENTS), CAP(DEBUGREGS), CAP(XSAVE), CAP(XCRS),
    CAP(IMMEDIATE_EXIT),
#undef CAP
};

/* --- set-up --- */

static int open_device(KVMState *s, Error **errp)
{
    const char *path = s->device ? s->device : DEVICE;
    int version;

    sandbox_need(SANDBOX_KVM);
    s->fd = fdset_or_open(path, O_RDWR, errp);
    if (s->fd < 0) {
        return s->fd;
    }
    version = kvm_ioctl(s, KVM_GET_API_VERSION, NULL);
    if (version != KVM_API_VERSION) {
        error_setg(errp, "%s has API version %d, %d is"
                   " needed", path, version, KVM_API_VERSION);
        return -EINVAL;
    }
    return 0;
}

static int check_caps(KVMState *s, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_SIZE(required_caps); i++) {
        if (!kvm_check_extension(s, required_caps[i].cap)) {
            error_setg(errp, "the host's KVM lacks %s",
                       required_caps[i].name);
            return -ENOSYS;
        }
    }
    return 0;
}

static int check_cpus(KVMState *s, const MachineState *ms, Error **errp)
{
    int max = kvm_check_extension(s, KVM_CAP_MAX_VCPUS);

    if (max && ms->smp.max_cpus > (unsigned)max) {
        error_setg(errp, "-smp asks for %u CPUs, the host's KVM has"
                   " at most %d", ms->smp.max_cpus, max);
        return -EINVAL;
    }
    return 0;
}

static int create_vm(KVMState *s, Error **errp)
{
    int ret;

    do {
        ret = kvm_ioctl(s, KVM_CREATE_VM, NULL);
    } while (ret == -EINTR);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "a virtual machine cannot be"
                         " created");
        return ret;
    }
    s->vmfd = ret;
    ret = kvm_ioctl(s, KVM_GET_VCPU_MMAP_SIZE, NULL);
    if (ret < (int)sizeof(struct kvm_run)) {
        error_setg(errp, "vCPUs cannot be mapped");
        return ret < 0 ? ret : -EINVAL;
    }
    s->run_size = ret;
    return 0;
}

static int init_machine(MachineState *ms, Error **errp)
{
    KVMState *s = KVM_STATE(ms->accelerator);
    int ret;

    if ((ret = open_device(s, errp)) < 0 || (ret = check_caps(s, errp)) < 0 ||
        (ret = check_cpus(s, ms, errp)) < 0 ||
        (ret = create_vm(s, errp)) < 0 ||
        (ret = kvm_x86_vm_init(s, errp)) < 0 ||
        (ret = kvm_x86_read_host_cpu(s, errp)) < 0 ||
        (ret = kvm_irqchip_init_routes(s, errp)) < 0) {
        return ret;
    }
    kvm_state = s;
    kvm_kernel_irqchip = true;
    kvm_irqfds_allowed = true;
    kvm_ioeventfds_allowed = true;
    kvm_resamplefds_allowed = kvm_vm_check_extension(s,
                                                     KVM_CAP_IRQFD_RESAMPLE);
    kvm_slots_init(s);
    kvm_vcpu_init();
    return 0;
}

static void kvm_accel_instance_init(Object *obj)
{
    KVMState *s = KVM_STATE(obj);

    s->fd = -1;
    s->vmfd = -1;
}

static char *kvm_accel_get_device(Object *obj, Error **errp)
{
    return g_strdup(KVM_STATE(obj)->device);
}

static void kvm_accel_set_device(Object *obj, const char *value, Error **errp)
{
    KVMState *s = KVM_STATE(obj);

    g_free(s->device);
    s->device = g_strdup(value);
}

/* Runs only for an accelerator that was not taken into use. */
static void kvm_accel_finalize(Object *obj)
{
    KVMState *s = KVM_STATE(obj);

    g_assert(s != kvm_state);
    if (s->routes) {
        g_array_unref(s->routes);
    }
    g_free(s->gsi_used);
    g_free(s->device);
    if (s->vmfd >= 0) {
        close(s->vmfd);
    }
    if (s->fd >= 0) {
        close(s->fd);
    }
}

static void kvm_accel_class_init(ObjectClass *klass, void *data)
{
    AccelClass *ac = ACCEL_CLASS(klass);

    ac->name = "KVM";
    ac->init_machine = init_machine;
    ac->allowed = &kvm_allowed;
    ac->cpus = &kvm_vcpu_ops;
    object_class_property_add_str(klass, "device", kvm_accel_get_device,
                                  kvm_accel_set_device);
    object_class_property_set_description(klass, "device",
        "The device file, /dev/kvm by default");
}

static const TypeInfo kvm_accel_types[] = {
    {
        .name = TYPE_KVM_ACCEL,
        .parent = TYPE_ACCEL,
        .instance_size = sizeof(KVMState),
        .instance_init = kvm_accel_instance_init,
        .instance_finalize = kvm_accel_finalize,
        .class_init = kvm_accel_class_init,
    },
};

DEFINE_TYPES(kvm_accel_types)
