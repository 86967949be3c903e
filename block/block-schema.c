/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What blockdev-add takes, for who asks (query-qmp-schema) before he says it: the
 * options of this process's own drivers, and those of the storage daemon's that
 * are in common use. Whatever else the daemon has is accepted as well, and checked
 * by the daemon. Types only; block-qmp.c has the command.
 */
#include "qemu/osdep.h"

#include "monitor/qmp.h"

#ifdef CONFIG_LINUX_IO_URING
#define AIO "threads,io_uring"
#else
#define AIO "threads"
#endif

#define FORMAT_HELP "file: the node below, or its name\n"
#define HTTP_MEMBERS                                                         \
    "url:str,?readahead:int,?timeout:int,?username:str,"                     \
    "?password-secret:str,?proxy-username:str,?proxy-password-secret:str,"   \
    "?cookie:str,?cookie-secret:str"
#define HTTP_HELP                                                            \
    "url: of the image\n"                                                    \
    "readahead: bytes that are read at once\n"                               \
    "timeout: seconds\n"                                                     \
    "username: for the server\n"                                             \
    "password-secret: id of a secret\n"                                      \
    "proxy-username: for the proxy\n"                                        \
    "proxy-password-secret: id of a secret\n"                                \
    "cookie: that is sent\n"                                                 \
    "cookie-secret: id of a secret that has it"

/* Whose options are their own affair. */
#define OTHER(driver) driver ":BlockdevOptionsOther,"
#define GENERIC(driver) driver ":BlockdevOptionsGenericFormat,"
#define BASED(driver) driver ":BlockdevOptionsGenericCOWFormat,"

static const QmpType block_option_types[] = {
    { .name = "BlockdevDriver", .open = true,
      .values = "blkdebug,blkverify,bochs,cloop,compress,copy-before-write,"
                "copy-on-read,dmg,file,ftp,ftps,gluster,host_cdrom,host_device,"
                "http,https,iscsi,luks,nbd,nfs,null-aio,null-co,nvme,parallels,"
                "preallocate,qcow,qcow2,qed,quorum,raw,rbd,ssh,throttle,vdi,vhdx,"
                "vmdk,vpc,vvfat",
      .help = "What a block node does. raw, file, host_device and nvme are this "
      "process's own; qemu-storage-daemon has the others, or says that it has "
      "not." },
    { .name = "BlockdevDiscardOptions", .values = "ignore,unmap",
      .help = "What becomes of blocks that the guest discards." },
    { .name = "BlockdevDetectZeroesOptions", .values = "off,on,unmap",
      .help = "What becomes of zeroes that are written: data, a request for "
      "zeroes, or that and a hole." },
    { .name = "BlockdevAioOptions", .values = AIO, .open = true,
      .help = "How a file is read and written." },
    { .name = "BlockdevLocking", .values = "auto,on,off",
      .help = "Whether a file is locked; auto: if its file system has locks." },
    { .name = "BlockdevCacheOptions", .members = "?direct:bool,?no-flush:bool",
      .help = "How a node is cached.\n"
      "direct: the host's page cache is not used\n"
      "no-flush: flushes do nothing" },
    { .name = "BlockdevRef", .alternatives = "BlockdevOptions,str",
      .help = "A node that is made for this one, or the name of a node." },
    { .name = "BlockdevRefOrNull", .alternatives = "BlockdevOptions,str,null",
      .help = "The same, or null: no node." },
    { .name = "BlockdevOptionsOther", .members = "**",
      .help = "Options that qemu-storage-daemon knows.\n"
      "**: as in QEMU" },
    { .name = "BlockdevOptionsGenericFormat", .members = "file:BlockdevRef,**",
      .help = "An image format.\n" FORMAT_HELP
      "**: as in QEMU" },
    { .name = "BlockdevOptionsGenericCOWFormat",
      .members = "file:BlockdevRef,?backing:BlockdevRefOrNull,**",
      .help = "An image format whose images may be based on others.\n" FORMAT_HELP
      "backing: what it is based on; by default what the image says\n"
      "**: as in QEMU" },
    { .name = "BlockdevOptionsRaw",
      .members = "file:BlockdevRef,?offset:int,?size:int",
      .help = "Blocks as they are.\n" FORMAT_HELP
      "offset: where the disk begins, bytes\n"
      "size: bytes that it has" },
    { .name = "BlockdevOptionsFile",
      .members = "filename:str,?locking:BlockdevLocking,?aio:BlockdevAioOptions,"
                 "**",
      .help = "A file, or a disk, of the host.\n"
      "filename: its path\n"
      "locking: against others who write to it\n"
      "aio: by default the best that the host allows\n"
      "**: what qemu-storage-daemon knows, of one that it opens" },
    { .name = "BlockdevOptionsNVMe", .members = "device:str,namespace:int",
      .help = "An NVMe drive of the host, bound to vfio-pci.\n"
      "device: its PCI address\n"
      "namespace: number of one of its namespaces" },
    { .name = "BlockdevQcow2EncryptionFormat", .values = "aes,luks",
      .help = "How an image is encrypted." },
    { .name = "BlockdevQcow2EncryptionLUKS", .members = "?key-secret:str",
      .help = "An image is encrypted.\n"
      "key-secret: id of a secret" },
    { .name = "BlockdevQcow2Encryption",
      .members = "format:BlockdevQcow2EncryptionFormat", .tag = "format",
      .variants = "aes:BlockdevQcow2EncryptionLUKS,"
                  "luks:BlockdevQcow2EncryptionLUKS",
      .help = "An image is encrypted.\n"
      "format: how" },
    { .name = "BlockdevOptionsQcow2",
      .members = "file:BlockdevRef,?backing:BlockdevRefOrNull,"
                 "?lazy-refcounts:bool,?pass-discard-request:bool,"
                 "?pass-discard-snapshot:bool,?pass-discard-other:bool,"
                 "?cache-size:int,?l2-cache-size:int,?l2-cache-entry-size:int,"
                 "?refcount-cache-size:int,?cache-clean-interval:int,"
                 "?encrypt:BlockdevQcow2Encryption,?data-file:BlockdevRef,**",
      .help = "A qcow2 image.\n" FORMAT_HELP
      "backing: what it is based on; by default what the image says\n"
      "lazy-refcounts: reference counts are written late\n"
      "pass-discard-request: what the guest discards is given back\n"
      "pass-discard-snapshot: so is what a snapshot had\n"
      "pass-discard-other: so is all else\n"
      "cache-size: of its tables, bytes\n"
      "l2-cache-size: of the mapping's, bytes\n"
      "l2-cache-entry-size: bytes that are read at once\n"
      "refcount-cache-size: of reference counts, bytes\n"
      "cache-clean-interval: seconds until what is not used is dropped\n"
      "encrypt: how it is encrypted\n"
      "data-file: where its data are, if not in it\n"
      "**: as in QEMU" },
    { .name = "BlockdevOptionsLUKS",
      .members = "file:BlockdevRef,?key-secret:str,**",
      .help = "An encrypted image.\n" FORMAT_HELP
      "key-secret: id of a secret\n"
      "**: as in QEMU" },
    { .name = "BlockdevOptionsNull",
      .members = "?size:int,?latency-ns:int,?read-zeroes:bool",
      .help = "No image.\n"
      "size: bytes; 1 GiB\n"
      "latency-ns: that a request takes\n"
      "read-zeroes: what is read is zeroes, else it is left as it was" },
    { .name = "BlockdevOptionsNbd",
      .members = "server:any,?export:str,?tls-creds:str,?tls-hostname:str,"
                 "?x-dirty-bitmap:str,?reconnect-delay:int,?open-timeout:int",
      .help = "A disk of an NBD server.\n"
      "server: its address, a SocketAddress of QEMU's\n"
      "export: which of its disks\n"
      "tls-creds: id of an object with credentials\n"
      "tls-hostname: the name in the server's certificate\n"
      "x-dirty-bitmap: what is read instead of data\n"
      "reconnect-delay: seconds that requests wait for a lost server\n"
      "open-timeout: seconds in which the server is tried again" },
    { .name = "BlockdevOptionsCurlHttp", .members = HTTP_MEMBERS,
      .help = "An image of a web server.\n" HTTP_HELP },
    { .name = "BlockdevOptionsCurlHttps", .members = HTTP_MEMBERS
      ",?sslverify:bool",
      .help = "The same.\n" HTTP_HELP "\n"
      "sslverify: whether its certificate is checked" },
    { .name = "BlockdevOptionsThrottle",
      .members = "throttle-group:str,file:BlockdevRef",
      .help = "Limits the speed of a node.\n"
      "throttle-group: id of the limits\n"
      "file: the node below, or its name" },
    { .name = "BlockdevOptions",
      .members = "driver:BlockdevDriver,?node-name:str,"
                 "?discard:BlockdevDiscardOptions,?cache:BlockdevCacheOptions,"
                 "?read-only:bool,?auto-read-only:bool,?force-share:bool,"
                 "?detect-zeroes:BlockdevDetectZeroesOptions,**",
      .tag = "driver",
      .variants =
          OTHER("blkdebug") OTHER("blkverify") GENERIC("bochs") GENERIC("cloop")
          GENERIC("compress") OTHER("copy-before-write") GENERIC("copy-on-read")
          GENERIC("dmg") "file:BlockdevOptionsFile," OTHER("ftp") OTHER("ftps")
          OTHER("gluster") "host_cdrom:BlockdevOptionsFile,"
          "host_device:BlockdevOptionsFile,http:BlockdevOptionsCurlHttp,"
          "https:BlockdevOptionsCurlHttps," OTHER("iscsi")
          "luks:BlockdevOptionsLUKS,nbd:BlockdevOptionsNbd," OTHER("nfs")
          "null-aio:BlockdevOptionsNull,null-co:BlockdevOptionsNull,"
          "nvme:BlockdevOptionsNVMe," GENERIC("parallels") GENERIC("preallocate")
          BASED("qcow") "qcow2:BlockdevOptionsQcow2," BASED("qed")
          OTHER("quorum") "raw:BlockdevOptionsRaw," OTHER("rbd") OTHER("ssh")
          "throttle:BlockdevOptionsThrottle," GENERIC("vdi") GENERIC("vhdx")
          BASED("vmdk") GENERIC("vpc") "vvfat:BlockdevOptionsOther",
      .help = "A block node.\n"
      "driver: what it does\n"
      "node-name: its name\n"
      "discard: what becomes of blocks that the guest discards\n"
      "cache: how it is cached\n"
      "read-only: it is not written to\n"
      "auto-read-only: it is read-only if it cannot be written to\n"
      "force-share: others may write to it\n"
      "detect-zeroes: what becomes of zeroes that are written\n"
      "**: what docs/disks.md says of the driver, or QEMU" },
};

static void block_schema_register(void)
{
    qmp_register_types(block_option_types, ARRAY_SIZE(block_option_types));
}
type_init(block_schema_register)
