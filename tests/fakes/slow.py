# SPDX-License-Identifier: Apache-2.0
"""A source of any number of empty parts that takes its time, and has its troubles in workers only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from indelible.audit.segment import Expected
from indelible.audit.source import Part
from indelible.audit.workers import scans
from indelible.cli.sources import exit_on_failure
from indelible.errors import Unavailable

PARTS = 2000
"""A minute and a half for one process alone: longer than any test waits."""


@dataclass
class SlowSource:
    """`trouble` is what befalls a worker: "killed", "refused", "unavailable", "told" (it says its number).

    `takes` is what a part takes, in seconds.
    """

    trouble: str
    takes: float = 0.05

    def parts(self) -> Iterator[Part]:
        return (Part(number, 1, str(number)) for number in range(PARTS))

    def count(self) -> int:
        return PARTS

    def scan(self, _: Part, __: Expected) -> None:
        time.sleep(self.takes)
        if multiprocessing.parent_process() is None:
            return
        if self.trouble == "told":
            print(os.getpid(), flush=True)
        elif self.trouble == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.trouble == "refused":
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
        elif self.trouble == "unavailable":
            raise Unavailable("S3 could not be reached: EndpointConnectionError")


def main(trouble: str) -> None:
    """As a command does it."""
    source: Any = SlowSource(trouble)
    with exit_on_failure("check"):
        for _ in scans(source, source.parts(), Expected("acme-corp"), jobs=2):
            pass
