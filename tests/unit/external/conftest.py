# SPDX-License-Identifier: Apache-2.0
"""The stand-ins of `make up EXTERNAL=yes` on loopback, as fixtures."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from indelible.external.verify_ots import Timestamp, read_stamp, write_detached
from local.external.authority import QUERY, Authority
from local.external.calendar import Calendar
from local.external.web import Program, Request, serving

DATA = b"indelible\n7\nroot\n\n\xe2\x80\x94 indelible signature\n"
DIGEST = hashlib.sha256(DATA).digest()


@dataclass
class Clock:
    """Seconds, as the stand-ins count them."""

    now: float = 1_773_964_800.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def authority_url(authority: Authority) -> Iterator[str]:
    with serving(lambda _: authority) as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calendar(clock: Clock) -> Iterator[Calendar]:
    made: list[Calendar] = []

    def make(url: str) -> Program:
        made.append(Calendar(url, block_seconds=600, clock=clock))
        return made[0]

    with serving(make):
        yield made[0]


def asked(authority: Authority, query: bytes) -> bytes:
    """The authority's reply, without HTTP."""
    return authority(Request("POST", "/", QUERY, query)).body


def stamped(calendar: Calendar) -> tuple[bytes, Timestamp]:
    """A pending proof of DIGEST, and what it is made of."""
    stamp = read_stamp(calendar(Request("POST", "/digest", "", DIGEST)).body, DIGEST)
    return write_detached(stamp), stamp
