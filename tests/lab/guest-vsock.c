/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest-vsock PORT: sends back whatever comes over a connection to that port of
 * the host. A program for the lab's guest; a static file, since the guest has no
 * libraries.
 */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[64 * 1024];

static int write_all(int fd, const char *data, ssize_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n <= 0) {
            return -1;
        }
        data += n;
        size -= n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_vm addr = {
        .svm_family = AF_VSOCK,
        .svm_cid = VMADDR_CID_HOST,
        .svm_port = argc == 2 ? atoi(argv[1]) : 0,
    };
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
        perror("guest-vsock");
        return 1;
    }
    while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
        if (write_all(fd, buffer, n)) {
            break;
        }
    }
    if (n) {
        perror("guest-vsock");
    }
    return n != 0;
}
