# SPDX-License-Identifier: GPL-2.0-or-later
"""A QMP client: one connection, one command at a time, events kept in order."""
import json
import socket

from .pace import BOOTS, Deadline


class QmpError(Exception):
    """The emulator's error reply to a command."""

    def __init__(self, command, error):
        super().__init__(f"QMP {command}: {error['class']}: {error['desc']}")
        self.error_class = error["class"]
        self.desc = error["desc"]


class Qmp:
    def __init__(self, path):
        """Connect to the socket PATH; OSError while nobody listens there."""
        self.boots = BOOTS      # how long an answer may take
        self._buffer = b""
        self.events = []
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self.greeting = self._receive(self._deadline())
        self.command("qmp_capabilities")

    def close(self):
        self._socket.close()

    def command(self, name, /, **arguments):
        """Execute a command and return its value; QmpError if it is refused."""
        message = {"execute": name}
        if arguments:
            message["arguments"] = arguments
        self._socket.sendall(json.dumps(message).encode() + b"\r\n")
        deadline = self._deadline()
        while True:
            reply = self._receive(deadline)
            if "event" in reply:
                self.events.append(reply)
            elif "error" in reply:
                raise QmpError(name, reply["error"])
            else:
                return reply["return"]

    def get(self, path, name):
        return self.command("qom-get", path=path, property=name)

    def set(self, path, name, value):
        return self.command("qom-set", path=path, property=name, value=value)

    def event(self, name):
        """Wait for the event NAME, older ones included, and take it out."""
        deadline = self._deadline()
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            message = self._receive(deadline)
            if "event" in message:
                self.events.append(message)

    def _deadline(self):
        return Deadline(boots=self.boots)

    def _receive(self, deadline):
        while b"\n" not in self._buffer:
            left = deadline.left()
            if left <= 0:
                raise TimeoutError("QMP: no message in time")
            self._socket.settimeout(left)
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                continue                  # unless the machine has become slower
            if not data:
                raise ConnectionError("QMP: the emulator closed the connection")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)
