/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the machine type (hw/boards.h). For hw/core only. */
#ifndef HW_CORE_MACHINE_INTERNAL_H
#define HW_CORE_MACHINE_INTERNAL_H

#include "qom/object.h"

/* The properties that tell what options have said. */
void machine_class_add_config(ObjectClass *klass);

#endif
