/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VM needs of locked memory, DMA mappings and huge pages, added up for
 * people: query-memory-budget of a VM that runs, -explain of a command line.
 * It only looks.
 */
#ifndef SYSTEM_MEMORY_BUDGET_H
#define SYSTEM_MEMORY_BUDGET_H

#include <json-glib/json-glib.h>

#include "exec/memory-needs.h"

/* MemoryBudget of QMP (transfer full). @needs: MemoryNeeds of those who will be
 * there; NULL: those who are, and what the process has left. */
JsonObject *memory_budget_info(const GArray *needs);
/* The same as text, with how each comes about; the caller's. */
char *memory_budget_text(JsonObject *info);

#endif
