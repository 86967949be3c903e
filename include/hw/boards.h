/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine: /machine, the board that devices are plugged into. vl.c creates
 * it from the type that -M names ("NAME-machine"), fills in what the command
 * line says, and calls the class's init(). QEMU's names.
 */
#ifndef HW_BOARDS_H
#define HW_BOARDS_H

#include <json-glib/json-glib.h>

#include "exec/memory.h"
#include "hw/hotplug.h"
#include "qom/object.h"

#define TYPE_MACHINE_SUFFIX "-machine"
#define TYPE_MACHINE "machine"
#define MACHINE_TYPE_NAME(machinename) (machinename TYPE_MACHINE_SUFFIX)
OBJECT_DECLARE_TYPE(MachineState, MachineClass, MACHINE)

typedef struct NumaState NumaState;
typedef struct SmbiosEntries SmbiosEntries;

/* Where memory devices are placed: between the end of boot RAM and maxmem. */
typedef struct DeviceMemoryState {
    hwaddr base;                          /* guest physical */
    MemoryRegion mr;                      /* container, mapped at base */
    GList *devices;                       /* MemoryDeviceState, by address */
} DeviceMemoryState;

typedef struct CpuTopology {
    unsigned int cpus;                    /* at start */
    unsigned int cores;                   /* per socket */
    unsigned int threads;                 /* per core */
    unsigned int sockets;
    unsigned int max_cpus;                /* cores * threads * sockets */
} CpuTopology;

#define BOOT_ORDER_MAX 3

/* -boot: what firmware is told. */
typedef struct BootConfiguration {
    char *order;                          /* a, b: floppy disk, c: hard disk,
                                           * d: CD, n: network; NULL: default */
    char *once;                           /* until the first reset; may be NULL */
    bool no_floppy_check;
    bool menu;
    bool strict;                          /* nothing else but bootindex= */
    bool has_splash_time;
    uint16_t splash_time;                 /* of the menu, ms */
    int32_t reboot_timeout;               /* ms after a failure; -1: never */
} BootConfiguration;

/* A file for the guest. */
typedef struct FirmwareFile {
    const char *option;                   /* that it is of; for messages */
    char *name;
    GBytes *contents;
} FirmwareFile;

struct MachineClass {
    ObjectClass parent_class;

    const char *name;                     /* of -M */
    const char *alias;                    /* another; may be NULL */
    const char *desc;
    bool is_default;                      /* without -M */
    bool qtest_only;                      /* a test's; no guest runs on it */

    /* Builds the board out of @state; ends the program if it cannot (by
     * &error_fatal). */
    void (*init)(MachineState *state);
    /* NULL: qemu_devices_reset(). */
    void (*reset)(MachineState *state);
    /* Who handles the plugging of @dev; NULL: its bus. May be NULL. */
    HotplugHandler *(*get_hotplug_handler)(MachineState *machine,
                                           DeviceState *dev);

    unsigned int max_cpus;
    const char *default_cpu_type;         /* of objects; NULL: no CPUs */
    const char *cpu_type_suffix;          /* -cpu MODEL is type MODELsuffix */
    /* Checks -cpu @model with its features (text after the first comma, may be
     * NULL); false: *errp. NULL: anything goes. */
    bool (*check_cpu)(MachineState *machine, const char *model,
                      const char *features, Error **errp);
    /* All properties of -cpu @model on this host (vendor, family, model,
     * stepping, features), once @props, if it is not NULL, has turned features
     * on and off; transfer full. NULL: *errp. May be NULL. */
    JsonObject *(*expand_cpu)(const char *model, JsonObject *props,
                              Error **errp);
    /* Lists models and features for -cpu help; may be NULL. */
    void (*list_cpus)(void);
    uint64_t default_ram_size;            /* bytes */
    const char *default_ram_id;           /* e.g. "pc.ram"; NULL: no RAM */
    bool accel_optional;                  /* starts without an accelerator */
    bool numa_mem_supported;
    bool has_fw_cfg;                      /* takes firmware_files and smbios */
};

struct MachineState {
    Object parent_obj;

    /* from the command line */
    uint64_t ram_size;                    /* bytes of boot RAM */
    uint64_t maxram_size;                 /* with memory devices */
    uint64_t ram_slots;
    CpuTopology smp;
    char *cpu_type;                       /* the type of the CPUs' objects */
    char *cpu_features;                   /* "+a,-b,c=on"; NULL: none */
    char *kernel_filename;
    char *kernel_cmdline;                 /* never NULL when init() is called */
    char *initrd_filename;
    char *firmware;                       /* -bios; NULL: the board's default,
                                             or none beside a kernel */
    BootConfiguration boot_config;
    bool nographic;                       /* -nographic, graphics=off */
    GPtrArray *firmware_files;            /* FirmwareFile; the board adds them */
    SmbiosEntries *smbios;                /* -smbios; NULL: none. The board's */
    char *ram_memdev_id;                  /* -M memory-backend= */
    NumaState *numa_state;                /* never NULL */

    /* made of it before init() */
    MemoryRegion *ram;                    /* all boot RAM; init() maps it */
    HostMemoryBackend *ram_memdev;        /* what is behind it, or NULL: */
    MemoryRegion numa_ram;                /* the nodes' backends in a row */
    AccelState *accelerator;

    /* the board's */
    DeviceMemoryState *device_memory;     /* NULL: maxmem equals size */
};

/* A property of machines that is on or off for good. */
typedef struct MachineFixedProperty {
    const char *name;                     /* NULL ends an array */
    bool has_auto;                        /* on, off, auto: as QEMU's has it */
    bool on;
    const char *description;
} MachineFixedProperty;

/* Adds @fixed, which must live for ever, to the machine type @klass. */
void machine_class_add_fixed(ObjectClass *klass,
                             const MachineFixedProperty *fixed);

/* The machine; NULL before it exists (and in unit tests without one). */
extern MachineState *current_machine;

/* The class that -M @name means (name or alias), or NULL. */
MachineClass *find_machine_class(const char *name);
/* The default machine's class; NULL if no machine is one. */
MachineClass *find_default_machine_class(void);

/* -smp and -m; values are text. false: *errp, and @ms is as before. */
bool machine_parse_smp(MachineState *ms, JsonObject *opts, Error **errp);
bool machine_parse_memory(MachineState *ms, JsonObject *opts, Error **errp);

/*
 * Makes ms->ram out of the backend that -M memory-backend= names, the NUMA
 * nodes' backends, or a new memory-backend-ram called default_ram_id; then
 * calls the class's init().
 */
bool machine_run_board_init(MachineState *machine, Error **errp);

/* Creates ms->device_memory: @size bytes at @base in the system's memory. */
void machine_memory_devices_init(MachineState *ms, hwaddr base, uint64_t size);

#endif
