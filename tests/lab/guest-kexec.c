/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-kexec KERNEL INITRD COMMAND-LINE: start another kernel without a reset of
 * the machine. A program for the lab's guest, by the one system call that needs
 * none of kexec-tools' knowledge; a static file, since the guest has no libraries.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int kernel, initrd;

    if (argc != 4) {
        fprintf(stderr, "usage: guest-kexec KERNEL INITRD COMMAND-LINE\n");
        return 2;
    }
    kernel = open(argv[1], O_RDONLY);
    initrd = open(argv[2], O_RDONLY);
    if (kernel < 0 || initrd < 0) {
        perror(kernel < 0 ? argv[1] : argv[2]);
        return 1;
    }
    /* The length counts the terminating 0. */
    if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1, argv[3],
                0UL)) {
        perror("kexec_file_load");
        return 1;
    }
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
            LINUX_REBOOT_CMD_KEXEC, NULL);
    perror("reboot");
    return 1;
}
