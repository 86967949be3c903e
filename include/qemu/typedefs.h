/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the types that headers pass around without looking inside. */
#ifndef QEMU_TYPEDEFS_H
#define QEMU_TYPEDEFS_H

typedef GError Error;

typedef struct AccelState AccelState;
typedef struct AddressSpace AddressSpace;
typedef struct BusClass BusClass;
typedef struct BusState BusState;
typedef struct Chardev Chardev;
typedef struct DeviceClass DeviceClass;
typedef struct DeviceState DeviceState;
typedef struct EventNotifier EventNotifier;
typedef struct FlatView FlatView;
typedef struct HostMemoryBackend HostMemoryBackend;
typedef struct HotplugHandler HotplugHandler;
typedef struct InterfaceClass InterfaceClass;
typedef struct InterfaceInfo InterfaceInfo;
typedef struct IRQState *qemu_irq;
typedef struct MachineClass MachineClass;
typedef struct MachineState MachineState;
typedef struct MemoryListener MemoryListener;
typedef struct MemoryRegion MemoryRegion;
typedef struct MemoryRegionSection MemoryRegionSection;
typedef struct MSIMessage MSIMessage;
typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct ObjectProperty ObjectProperty;
typedef struct PCIBus PCIBus;
typedef struct PCIDevice PCIDevice;
typedef struct Property Property;
typedef struct PropertyInfo PropertyInfo;
typedef struct RAMBlock RAMBlock;
typedef struct RamDiscardListener RamDiscardListener;
typedef struct RamDiscardMgr RamDiscardMgr;
typedef struct TypeImpl *Type;
typedef struct TypeImpl TypeImpl;
typedef struct TypeInfo TypeInfo;
typedef struct VirtIODevice VirtIODevice;
typedef struct VirtQueue VirtQueue;
typedef struct Visitor Visitor;

#endif
