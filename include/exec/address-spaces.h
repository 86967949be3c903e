/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two address spaces that every machine has; set up by memory_map_init(). */
#ifndef EXEC_ADDRESS_SPACES_H
#define EXEC_ADDRESS_SPACES_H

#include "exec/memory.h"

extern AddressSpace address_space_memory;
extern AddressSpace address_space_io;

/* Creates both; once, before any device. */
void memory_map_init(void);
MemoryRegion *get_system_memory(void);
MemoryRegion *get_system_io(void);

#endif
