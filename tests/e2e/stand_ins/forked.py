# SPDX-License-Identifier: Apache-2.0
"""Runs a program of helpers/prefork.py's as if it were this one: `forked.py SOCKET PROGRAM [WORD]…`.

Reads nothing that Python does not bring along: it is started for every command.
"""

from __future__ import annotations

import json
import os
import socket
import sys


def run(path: str, asked: dict[str, object], streams: list[int], *, seconds: float | None = None) -> int:
    """Its exit code. Raises TimeoutError."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        connection.connect(path)
        data = json.dumps(asked).encode()
        sent = socket.send_fds(connection, [data], streams)
        connection.sendall(data[sent:])
        connection.shutdown(socket.SHUT_WR)
        return int(connection.recv(8))


if __name__ == "__main__":
    _, server, program, *words = sys.argv
    what = {"program": program, "words": words, "environment": dict(os.environ), "directory": os.getcwd()}  # noqa: PTH109
    sys.exit(run(server, what, [0, 1, 2]))
