# SPDX-License-Identifier: GPL-2.0-or-later
"""What test programs in Python ask of an emulator (tap.Emulator) that runs."""

import json
import os
import re
import socket

import patience


class Qmp:
    """A client of an emulator, or of whoever is at the other end of @connected."""

    def __init__(self, emulator=None, connected=None):
        self.socket = connected or socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience.seconds())
        if not connected:
            self.socket.connect(emulator.socket)
        self.file = self.socket.makefile("rw", encoding="utf-8")
        self.file.readline()
        assert "return" in self("qmp_capabilities")

    def __call__(self, command, **arguments):
        """The reply, without the events before it."""
        self.file.write(json.dumps({"execute": command, "arguments": {
            name.replace("_", "-"): value for name, value in arguments.items()
        }}) + "\n")
        self.file.flush()
        return self.reply()

    def reply(self):
        """The next one, without the events before it."""
        while True:
            reply = json.loads(self.file.readline())
            if "event" not in reply:
                return reply

    def send_fd(self, command, fd):
        """The same as to call it, with a descriptor beside the command."""
        text = json.dumps({"execute": command}).encode() + b"\n"
        socket.send_fds(self.socket, [text], [fd])
        return self.reply()

    def expect_done(self, command, **arguments):
        """The same, for what must work."""
        reply = self(command, **arguments)
        assert "return" in reply, (command, reply)


def statuses(emulator):
    """{name: {field: value}} of each thread."""
    found = {}
    tasks = f"/proc/{emulator.process.pid}/task"
    for task in os.listdir(tasks):
        with open(f"{tasks}/{task}/status", encoding="utf-8") as status:
            fields = dict(re.findall(r"^(\w+):\t(.*)$", status.read(), re.M))
            found[f"{fields['Name']}/{task}"] = fields
    return found
