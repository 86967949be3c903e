/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-user-testdev as a driver sees it: a PCI function 1234:11e9 of class
 * 00ff00, with
 *   BAR 0  4 KiB      the registers below
 *   BAR 1  8 KiB      the MSI-X table (4 vectors) and, at 4 KiB, pending bits
 *   BAR 2  64 KiB     (64 bit) memory; all but the first page can be mapped
 *   a ROM of as many bytes as --rom-size says; those beyond 64 KiB cannot be read
 *   the pin INTA, while MSI-X is off
 *
 * Registers are little endian; an access may be of any size and alignment.
 * Those marked ro ignore writes. A command runs when a byte of COMMAND is
 * written, and is over when the write is, unless TESTDEV_LATER asks for it to
 * run afterwards, as a device would: then STATUS is busy until it is over. It
 * needs the bus master bit. It ends with the interrupt of register VECTOR.
 */
#ifndef TESTS_VFIO_USER_DEVICE_REGISTERS_H
#define TESTS_VFIO_USER_DEVICE_REGISTERS_H

#define TESTDEV_VENDOR_ID 0x1234
#define TESTDEV_DEVICE_ID 0x11e9
#define TESTDEV_CLASS 0x00ff              /* base 00, sub ff; interface 00 */
#define TESTDEV_BAR0_SIZE 0x1000
#define TESTDEV_BAR1_SIZE 0x2000
#define TESTDEV_PBA_OFFSET 0x1000         /* in BAR 1 */
#define TESTDEV_BAR2_SIZE 0x10000
#define TESTDEV_BAR2_MMAP_OFFSET 0x1000   /* from here on it can be mapped */
#define TESTDEV_ROM_MAX 0x10000           /* what can be read ... */
#define TESTDEV_ROM_BYTE(i) ((uint8_t)((i) * 7 + (i) / 256)) /* ... and is there */
#define TESTDEV_NR_VECTORS 4

/* --- registers: offset, bits --- */

#define TESTDEV_REG_ID 0x00               /* 32 ro: TESTDEV_ID */
#define TESTDEV_ID 0x56544453
#define TESTDEV_REG_SRC 0x08              /* 64: IOVA */
#define TESTDEV_REG_DST 0x10              /* 64: IOVA */
#define TESTDEV_REG_LEN 0x18              /* 64: bytes, up to TESTDEV_MAX_LEN */
#define TESTDEV_MAX_LEN (1ULL << 30)
#define TESTDEV_REG_VALUE 0x20            /* 32: the byte to fill with */
#define TESTDEV_REG_COMMAND 0x24          /* 32 */
#define TESTDEV_COPY 1                    /* SRC to DST; must not overlap */
#define TESTDEV_FILL 2                    /* DST with VALUE */
#define TESTDEV_CHECKSUM 3                /* SRC: RESULT is the sum of bytes */
#define TESTDEV_LATER 0x80000000U         /* or'ed: do not wait for the end */
#define TESTDEV_REG_STATUS 0x28           /* 32 ro */
#define TESTDEV_IDLE 0
#define TESTDEV_BUSY 1
#define TESTDEV_DONE 2
#define TESTDEV_FAILED 3
#define TESTDEV_REG_ERROR 0x2c            /* 32 ro: errno of a failure. EFAULT:
                                             FAULT_IOVA is not mapped, or may
                                             not be written; EACCES: not bus
                                             master; EINVAL: LEN, COMMAND */
#define TESTDEV_REG_RESULT 0x30           /* 64 ro */
#define TESTDEV_REG_FAULT_IOVA 0x38       /* 64 ro; what is before it is done */

#define TESTDEV_REG_VECTOR 0x40           /* 32: raised at the end of a command;
                                             TESTDEV_NO_VECTOR: none */
#define TESTDEV_NO_VECTOR 0xffffffffU
#define TESTDEV_REG_TRIGGER 0x44          /* 32: a write raises interrupt
                                             VFIO_PCI_*_IRQ_INDEX << 16 | n */
#define TESTDEV_REG_INTX_ACK 0x48         /* 32: a write lowers the pin; reads
                                             as its level */
#define TESTDEV_REG_RESETS 0x4c           /* 32 ro: how often it was reset */

/* What the client has mapped. */
#define TESTDEV_REG_NR_MAPPINGS 0x50      /* 64 ro: now */
#define TESTDEV_REG_MAPPED_BYTES 0x58     /* 64 ro: now */
#define TESTDEV_REG_MAPS 0x60             /* 64 ro: accepted so far */
#define TESTDEV_REG_UNMAPS 0x68           /* 64 ro: accepted so far */
#define TESTDEV_REG_REFUSALS 0x70         /* 64 ro: maps and unmaps refused */
#define TESTDEV_REG_PROBE 0x78            /* 64: an IOVA, of the mapping of
                                             which the next two tell */
#define TESTDEV_REG_PROBE_START 0x80      /* 64 ro */
#define TESTDEV_REG_PROBE_SIZE 0x88       /* 64 ro: 0: PROBE is not mapped */
#define TESTDEV_REG_PROBE_FLAGS 0x90      /* 32 ro */
#define TESTDEV_PROBE_READABLE 1
#define TESTDEV_PROBE_WRITEABLE 2
#define TESTDEV_PROBE_FD 4                /* by a descriptor, not messages */

/*
 * Faults. A write to ARM makes FAULT (TESTDEV_FAULT_*) happen after AFTER more
 * messages (for the refusals: maps, unmaps) have been handled as usual. ARG:
 * the errno of a refusal (0: ENOMEM), or a TESTDEV_GARBAGE_*. A refusal happens
 * once, the others for good.
 */
#define TESTDEV_REG_AFTER 0xa0            /* 32 */
#define TESTDEV_REG_ARG 0xa4              /* 32 */
#define TESTDEV_REG_ARM 0xa8              /* 32 */
#define TESTDEV_FAULT_REFUSE_MAP 1
#define TESTDEV_FAULT_REFUSE_UNMAP 2
#define TESTDEV_FAULT_STALL 3             /* receives, does not answer */
#define TESTDEV_FAULT_GARBAGE 4           /* answers nonsense */
#define TESTDEV_FAULT_DIE 5               /* disconnects; the program ends */
#define TESTDEV_FAULT_SLOW 6              /* takes ARG ms to answer each */
#define TESTDEV_FAULT_CUT_BAR 7           /* at once: BAR 2's file has 0 bytes */
#define TESTDEV_FAULT_CUT_RAM 8           /* at once: so have, if they let it,
                                             all files that DMA_MAP brought;
                                             STATUS: DONE if any did */
#define TESTDEV_NR_FAULTS 9

#define TESTDEV_GARBAGE_BYTES 0           /* no header at all */
#define TESTDEV_GARBAGE_OVERSIZED 1       /* a header that claims 4 GiB */
#define TESTDEV_GARBAGE_UNDERSIZED 2      /* ... less than itself */
#define TESTDEV_GARBAGE_ID 3              /* the reply to another id */
#define TESTDEV_GARBAGE_COMMAND 4         /* ... to another command */
#define TESTDEV_GARBAGE_TYPE 5            /* neither command nor reply */
#define TESTDEV_GARBAGE_SHORT 6           /* one byte where more, or none, is
                                             due */
#define TESTDEV_GARBAGE_RANDOM 7          /* 512 random bytes after a header */
#define TESTDEV_GARBAGE_HALF 8            /* half a header, then nothing */
#define TESTDEV_GARBAGE_TWICE 9           /* an error, twice */
#define TESTDEV_NR_GARBAGE 10

#endif
