# SPDX-License-Identifier: Apache-2.0
"""A place for an emulator of the tests' own."""

from __future__ import annotations

import socket

from local.emulator import HOST


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
