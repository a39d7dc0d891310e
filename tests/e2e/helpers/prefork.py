# SPDX-License-Identifier: Apache-2.0
"""A process that has read the code of `indelible` and of the AWS command line, and forks for each that is run.

``python -m tests.e2e.helpers.prefork SOCKET`` listens at a Unix socket until its stdin ends. Reading their code is most
of what either command does. Whatever else a process is, is its caller's: arguments, environment, working directory, and
the three standard streams. Nothing that one run leaves in memory is there in the next.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.loaders import JSONFileLoader


def _indelible() -> object:
    from indelible.cli.main import cli

    return cli()


def _aws() -> object:
    import awscli
    from awscli import clidriver

    importlib.reload(awscli)  # it adds its place to the environment
    return clidriver.main()


SERVICES = ("s3", "dynamodb", "secretsmanager", "kms", "cloudformation", "lambda", "stepfunctions", "sts")
"""Which both ask for most."""
PROGRAMS: dict[str, Callable[[], object]] = {"indelible": _indelible, "aws": _aws}


def _prepare() -> None:
    from indelible.cli.main import SHORT_HELP

    commands = (f"indelible.cli.{name.replace('-', '_')}" for name in SHORT_HELP)
    sdk = ("awscli.clidriver", "awscli.handlers", "awscli.customizations.s3.s3")
    for name in (*commands, "indelible.entry.operator", *sdk):
        importlib.import_module(name)
    JSONFileLoader.load_file = _each_file_once(JSONFileLoader.load_file)  # type: ignore[method-assign]
    session = boto3.session.Session("nobody's", "nobody's", region_name="us-east-1")
    for service in SERVICES:
        session.client(service)  # type: ignore[call-overload]
    gc.freeze()


def _each_file_once(load: Callable[[JSONFileLoader, str], Any]) -> Callable[[JSONFileLoader, str], Any]:
    """What the SDK says of the services is read once for all programs."""
    read: dict[str, Any] = {}

    def load_file(self: JSONFileLoader, path: str) -> Any:
        if path not in read:
            read[path] = load(self, path)
        return read[path]

    return load_file


def _received(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    data, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while chunk := connection.recv(1 << 16):
        data += chunk
    return json.loads(data), streams


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Be the process that was asked for, as if it had just been started."""
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
    sys.argv = [asked["program"], *asked["words"]]
    sys.modules["__main__"].__package__ = None  # a program by its name, no module of a package: click asks


def _forked(listener: socket.socket) -> Callable[[], object] | None:
    """In the process that becomes a program, that program; None in this one."""
    connection, _ = listener.accept()
    with connection:
        if os.fork():
            return None
        listener.close()
        asked, streams = _received(connection)
        child = os.fork()
        if not child:
            connection.close()
            _become(asked, streams)
            return PROGRAMS[asked["program"]]
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(str(code if code >= 0 else 128 - code).encode())
    os._exit(0)


def _serve(path: str) -> Callable[[], object]:
    _prepare()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{path}.new")
    listener.listen(64)
    Path(f"{path}.new").rename(path)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            os._exit(0)
        if program := _forked(listener):
            return program
        with suppress(ChildProcessError):  # those who waited for a program that has ended
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


if __name__ == "__main__":
    sys.exit(_serve(sys.argv[1])())
