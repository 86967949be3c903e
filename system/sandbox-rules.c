/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls of a machine that runs: one table, of which filters are
 * made, and -sandbox help and docs/sandbox-calls.md are printed.
 *
 * A thread that is started later is under the main thread's filter and its own,
 * so what workers may do, the main thread may do.
 */
#include "qemu/osdep.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/mman.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <linux/vhost.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

#include "sandbox-internal.h"

#define M (1U << QEMU_THREAD_MAIN)
#define C (1U << QEMU_THREAD_VCPU)
#define W (1U << QEMU_THREAD_WORKER)
#define I (1U << QEMU_THREAD_IO)

/* A need's bit; a row has those by any of which it holds. */
#define N(need) (1U << SANDBOX_##need)

/* Whatever the arguments. */
#define CALL(kinds, needed, name)                                            \
    { .call = name, .threads = kinds, .needs = needed }
/* Only if argument @n, masked, is @val. */
#define MASKED(kinds, needed, name, n, bits, val, text)                      \
    { .call = name, .threads = kinds, .needs = needed,                       \
      .demand = text, .arg = n, .mask = bits, .value = (uint32_t)(val) }
/* Only if argument @n, an int, is @val. */
#define ARG(kinds, needed, name, n, val)                                     \
    MASKED(kinds, needed, name, n, UINT32_MAX, val, #val)
#define IOCTL(kinds, needed, request)                                        \
    MASKED(kinds, needed, "ioctl", 1, UINT32_MAX, request, #request)
/* Not made, but answered: who asks goes on in another way. */
#define NEVER(kinds, needed, name, err)                                      \
    { .call = name, .threads = kinds, .needs = needed,                       \
      .demand = "never: " #err, .answer = err }

#define ALWAYS N(ALWAYS)
#define HOTPLUG N(HOTPLUG)
#define THREADS N(THREADS)
#define TERMINAL N(TERMINAL)
#define PEERS N(PEERS)
#define LISTEN N(LISTEN)
#define FILES N(FILES)
#define LOCK N(LOCK)
#define MEM_LOCK N(MEM_LOCK)
#define GUARD N(GUARD)
#define DISK N(DISK)
#define CHILD N(CHILD)
#define TAP N(TAP)
#define NET_SOCKET N(NET_SOCKET)
#define CHANNEL N(CHANNEL)
#define KVM N(KVM)
#define VFIO N(VFIO)
#define VHOST N(VHOST)

/* What the C library's pthread_create() asks for. */
#define THREAD_FLAGS                                                         \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_SIGHAND |     \
     CLONE_THREAD | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* Taken by the C library with the first thread that is started. */
#define SIGSETXID (__SIGRTMIN + 1)

const SandboxRule sandbox_rules[] = {
    /* Locks, memory, signals, ends */
    CALL(M | C | W | I, ALWAYS, "futex"),
    MASKED(M | C | W | I, ALWAYS, "mmap", 2, PROT_EXEC, 0, "not PROT_EXEC"),
    CALL(M | C | W | I, ALWAYS, "munmap"),
    CALL(M | C | W | I, ALWAYS, "brk"),
    /* realloc() then copies. */
    NEVER(M | C | W | I, ALWAYS, "mremap", ENOMEM),
    CALL(M | C | W | I, ALWAYS, "madvise"),
    CALL(M | C | W | I, ALWAYS, "rt_sigprocmask"),
    CALL(M | C | W | I, ALWAYS, "rt_sigreturn"),
    ARG(M | C | W | I, ALWAYS, "rt_sigaction", 0, SIGBUS),
    { .call = "tgkill", .threads = M | C | W | I, .needs = ALWAYS,
      .demand = "an own thread", .mask = UINT32_MAX, .value = SANDBOX_OWN_PID },
    CALL(M | C | W | I, ALWAYS, "getpid"),
    CALL(M | C | W | I, ALWAYS, "gettid"),
    /* A process whose descriptor there is; none can be made. */
    CALL(M, CHILD, "pidfd_send_signal"),
    CALL(M, THREADS, "exit"),
    CALL(C | W | I, ALWAYS, "exit"),
    CALL(M | C | W | I, ALWAYS, "exit_group"),
    /* Where the vDSO cannot read the clock */
    CALL(M | C | W | I, ALWAYS, "clock_gettime"),
    CALL(M | C | W | I, ALWAYS, "gettimeofday"),

    /* Descriptors that are open */
    CALL(M | C | W | I, ALWAYS, "read"),
    CALL(M | C | W | I, ALWAYS, "write"),
    CALL(M, ALWAYS, "pread64"),
    CALL(C, VFIO, "pread64"),
    CALL(M | C, VFIO, "pwrite64"),
    CALL(M | I, ALWAYS, "ppoll"),
    CALL(C, PEERS, "ppoll"),
    CALL(W, GUARD | THREADS, "ppoll"),
    CALL(M | C, ALWAYS, "close"),
    CALL(W, THREADS, "close"),
    ARG(M, ALWAYS, "fcntl", 1, F_GETFL),
    ARG(M, ALWAYS, "fcntl", 1, F_SETFL),
    CALL(M | C, ALWAYS, "eventfd2"),
    CALL(M | C | W | I, ALWAYS, "newfstatat"),
    CALL(M, ALWAYS, "lseek"),
    CALL(M, HOTPLUG | FILES, "unlink"),

    /* Disks: by a ring that can do no more than that, or by threads. None waits
     * for a disk but at a stop, a reset, or when a disk is unplugged. */
    CALL(M | C | I, DISK, "io_uring_enter"),
    CALL(M, HOTPLUG, "io_uring_setup"),
    CALL(M, HOTPLUG, "io_uring_register"),
    CALL(M | W, DISK, "preadv"),
    CALL(M | C | I, DISK, "preadv2"),
    CALL(M, DISK | TAP, "pwritev2"),
    CALL(C | I, TAP, "pwritev2"),
    CALL(W, DISK, "pwritev2"),
    CALL(M | W, DISK, "fdatasync"),
    MASKED(M | W, DISK, "fallocate", 1, UINT32_MAX,
           FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
           "FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE"),
    ARG(M, HOTPLUG, "fcntl", 1, F_OFD_SETLK),
    ARG(M, HOTPLUG, "fcntl", 1, F_OFD_GETLK),

    /* Random bytes for the guest */
    CALL(M | C | I, N(RANDOM), "getrandom"),

    /* Sockets that are connected, or listen */
    CALL(M, HOTPLUG | LISTEN, "accept4"),
    CALL(M, ALWAYS, "recvmsg"),
    CALL(C, PEERS, "recvmsg"),
    CALL(I, NET_SOCKET | CHANNEL, "recvmsg"),
    CALL(M | C, ALWAYS, "sendmsg"),
    CALL(I, NET_SOCKET | CHANNEL, "sendmsg"),
    CALL(M, PEERS | THREADS, "shutdown"),
    CALL(C, PEERS, "shutdown"),
    /* QMP out of band */
    CALL(W, THREADS, "recvmsg"),
    CALL(W, THREADS, "sendmsg"),
    CALL(W, THREADS, "shutdown"),

    /* Network interfaces */
    IOCTL(M | C | I, TAP, TUNSETOFFLOAD),
    IOCTL(M | C, TAP, TUNSETQUEUE),       /* of vhost, which has no I/O thread */
    IOCTL(M, HOTPLUG, TUNSETIFF),
    IOCTL(M, HOTPLUG, TUNGETIFF),
    IOCTL(M, HOTPLUG, TUNSETVNETHDRSZ),
    ARG(M, HOTPLUG, "fcntl", 1, F_SETFD),
    /* libslirp's connections, and ports that lead to the guest */
    IOCTL(M, HOTPLUG, FIONREAD),
    CALL(M, HOTPLUG, "accept"),
    CALL(M, HOTPLUG, "bind"),
    CALL(M, HOTPLUG, "listen"),
    CALL(M, HOTPLUG, "recvfrom"),
    CALL(M, HOTPLUG, "sendto"),
    CALL(M, HOTPLUG, "getsockname"),
    CALL(M, HOTPLUG, "getpeername"),

    /* Guest memory; of disks, what is discarded */
    MASKED(M | C, ALWAYS, "fallocate", 1, UINT32_MAX,
           FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
           "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE"),
    MASKED(W, DISK, "fallocate", 1, UINT32_MAX,
           FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
           "FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE"),
    CALL(M | C, MEM_LOCK, "mlock"),
    CALL(M | C, MEM_LOCK, "munlock"),
    MASKED(M | C, HOTPLUG | LOCK, "prlimit64", 2, UINT64_MAX, 0, "no new limit"),

    /* Threads that are started, by the main thread; each enters its filter. */
    /* Its flags are where no filter sees them; the C library then uses clone. */
    NEVER(M, THREADS, "clone3", ENOSYS),
    MASKED(M, THREADS, "rt_sigaction", 0, UINT32_MAX, SIGSETXID,
           "the C library's SIGSETXID"),
    MASKED(M, THREADS, "clone", 0, UINT64_MAX, THREAD_FLAGS, "a thread"),
    MASKED(M, THREADS, "mprotect", 2, PROT_EXEC, 0, "not PROT_EXEC"),
    CALL(M, THREADS, "rseq"),
    CALL(M, THREADS, "set_robust_list"),
    ARG(M, THREADS, "prctl", 0, PR_SET_NAME),
    ARG(M, THREADS, "seccomp", 0, SECCOMP_SET_MODE_FILTER),
    /* How nice those are that populate memory */
    MASKED(M | W, THREADS, "sched_setattr", 0, UINT32_MAX, 0,
           "the calling thread"),

    /* KVM */
    IOCTL(C, KVM, KVM_RUN),
    IOCTL(M | C, KVM, KVM_GET_REGS),
    IOCTL(M, KVM, KVM_GET_MSRS),
    IOCTL(M | C, KVM, KVM_GET_SREGS),
    IOCTL(M | C, KVM, KVM_SET_USER_MEMORY_REGION),
    IOCTL(M | C, KVM, KVM_IOEVENTFD),
    IOCTL(M | C, KVM, KVM_IRQFD),
    IOCTL(M | C, KVM, KVM_SET_GSI_ROUTING),
    IOCTL(M | C, KVM, KVM_IRQ_LINE),
    IOCTL(M | C | I, KVM, KVM_SIGNAL_MSI),
    IOCTL(M, KVM, KVM_SET_IRQCHIP),
    IOCTL(M, KVM, KVM_SET_PIT2),
    IOCTL(M, KVM, KVM_SET_REGS),
    IOCTL(M, KVM, KVM_SET_SREGS),
    IOCTL(M, KVM, KVM_SET_XSAVE),
    IOCTL(M, KVM, KVM_SET_XCRS),
    IOCTL(M, KVM, KVM_SET_LAPIC),
    IOCTL(M, KVM, KVM_SET_MSRS),
    IOCTL(M, KVM, KVM_SET_MP_STATE),
    IOCTL(M, KVM, KVM_SET_VCPU_EVENTS),
    IOCTL(M, KVM, KVM_SET_DEBUGREGS),
    IOCTL(M, KVM, KVM_SET_NESTED_STATE),
    IOCTL(M, HOTPLUG, KVM_CREATE_DEVICE),
    IOCTL(M | C, KVM, KVM_SET_DEVICE_ATTR),

    /* VFIO */
    IOCTL(M | C, VFIO, VFIO_IOMMU_MAP_DMA),
    IOCTL(M | C, VFIO, VFIO_IOMMU_UNMAP_DMA),
    IOCTL(M | C, VFIO, VFIO_DEVICE_SET_IRQS),
    IOCTL(M | C, VFIO, VFIO_DEVICE_RESET),
    IOCTL(M | C, VFIO, VFIO_GROUP_UNSET_CONTAINER),
    IOCTL(M, HOTPLUG, VFIO_GET_API_VERSION),
    IOCTL(M, HOTPLUG, VFIO_CHECK_EXTENSION),
    IOCTL(M, HOTPLUG, VFIO_SET_IOMMU),
    IOCTL(M, HOTPLUG, VFIO_IOMMU_GET_INFO),
    IOCTL(M, HOTPLUG, VFIO_GROUP_GET_STATUS),
    IOCTL(M, HOTPLUG, VFIO_GROUP_SET_CONTAINER),
    IOCTL(M, HOTPLUG, VFIO_GROUP_GET_DEVICE_FD),
    IOCTL(M, HOTPLUG, VFIO_DEVICE_GET_INFO),
    IOCTL(M, HOTPLUG, VFIO_DEVICE_GET_REGION_INFO),
    IOCTL(M, HOTPLUG, VFIO_DEVICE_GET_IRQ_INFO),

    /* vhost of the kernel */
    IOCTL(M | C, VHOST, VHOST_SET_FEATURES),
    IOCTL(M | C, VHOST, VHOST_SET_MEM_TABLE),
    IOCTL(M | C, VHOST, VHOST_SET_VRING_NUM),
    IOCTL(M | C, VHOST, VHOST_SET_VRING_BASE),
    IOCTL(M | C, VHOST, VHOST_SET_VRING_ADDR),
    IOCTL(M | C, VHOST, VHOST_SET_VRING_KICK),
    IOCTL(M | C, VHOST, VHOST_SET_VRING_CALL),
    IOCTL(M | C, VHOST, VHOST_GET_VRING_BASE),
    IOCTL(M | C, VHOST, VHOST_VSOCK_SET_RUNNING),
    IOCTL(M | C, VHOST, VHOST_NET_SET_BACKEND),
    IOCTL(M | C, VHOST, VHOST_RESET_OWNER),
    IOCTL(M, HOTPLUG, VHOST_SET_OWNER),
    IOCTL(M, HOTPLUG, VHOST_GET_FEATURES),
    IOCTL(M, HOTPLUG, VHOST_VSOCK_SET_GUEST_CID),

    /* Guarded memory */
    IOCTL(M | C, GUARD, UFFDIO_REGISTER),
    IOCTL(M | C, GUARD, UFFDIO_UNREGISTER),
    IOCTL(M | W, GUARD, UFFDIO_ZEROPAGE),
    IOCTL(M | W, GUARD, UFFDIO_WAKE),
    IOCTL(M, HOTPLUG, UFFDIO_API),
    IOCTL(M, HOTPLUG, USERFAULTFD_IOC_NEW),
    CALL(M, HOTPLUG, "userfaultfd"),

    /* A terminal is left as it was found; pseudo terminals are made */
    IOCTL(M, TERMINAL | HOTPLUG, TCGETS),
    IOCTL(M, TERMINAL | HOTPLUG, TCSETS),
    IOCTL(M, HOTPLUG, TIOCGPTN),
    IOCTL(M, HOTPLUG, TIOCSPTLCK),
    IOCTL(M, HOTPLUG, TIOCGPTPEER),

    /* Files and sockets that are opened */
    CALL(M, HOTPLUG, "openat"),
    CALL(M, HOTPLUG, "readlink"),
    CALL(M, HOTPLUG, "fstatfs"),
    CALL(M, HOTPLUG, "getdents64"),
    CALL(M, HOTPLUG | DISK, "ftruncate"),
    CALL(M, HOTPLUG, "rename"),
    CALL(M, HOTPLUG, "memfd_create"),
    ARG(M, HOTPLUG, "fcntl", 1, F_ADD_SEALS),
    ARG(M, HOTPLUG, "fcntl", 1, F_GET_SEALS),
    ARG(M, HOTPLUG | THREADS, "fcntl", 1, F_DUPFD_CLOEXEC),
    ARG(M, HOTPLUG, "socket", 0, AF_UNIX),
    ARG(M, HOTPLUG, "socket", 0, AF_INET),
    ARG(M, HOTPLUG, "socket", 0, AF_INET6),
    CALL(M, HOTPLUG, "connect"),
    CALL(M, HOTPLUG, "getsockopt"),
    CALL(M, HOTPLUG, "setsockopt"),
    CALL(M, HOTPLUG, "mbind"),
};

const size_t sandbox_nr_rules = ARRAY_SIZE(sandbox_rules);
