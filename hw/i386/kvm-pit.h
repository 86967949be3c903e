/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The settings of the kernel's timer: property lost_tick_policy. */
#ifndef HW_I386_KVM_PIT_H
#define HW_I386_KVM_PIT_H

#define TYPE_KVM_PIT "kvm-pit"

#endif
