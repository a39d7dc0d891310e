# SPDX-License-Identifier: Apache-2.0
"""Ids and instants at their edges."""

from __future__ import annotations

import pytest

from indelible.domain import audit_id, instants
from tests.fakes.machine import MIDNIGHT

NOW = MIDNIGHT + 51_721_481


def test_audit_ids_at_the_edges() -> None:
    assert audit_id.encode(0, 1, 0) == "00000000-0000-8000-8000-000400000000"
    assert audit_id.decode(audit_id.encode(instants.MAX_MS, 10**12 - 1, 2**34 - 1)) == audit_id.Location(
        instants.MAX_MS, 10**12 - 1
    )
    for bad in ((-1, 1, 0), (instants.MAX_MS + 1, 1, 0), (0, 0, 0), (0, 10**12, 0), (0, 1, 2**34), (0, 1, -1)):
        with pytest.raises(ValueError, match="range"):
            audit_id.encode(*bad)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no id",
        "00000000-0000-8000-8000-000000000000",  # sequence 0
        "00000000-0000-4000-8000-000400000000",  # version 4
        "00000000-0000-8000-4000-000400000000",  # variant 01
        "00000000-0000-8FFF-8000-000400000000",  # upper case
        "{00000000-0000-8000-8000-000400000000}",
        "urn:uuid:00000000-0000-8000-8000-000400000000",
        "00000000000080008000000400000000",
        "ffffffff-ffff-8000-8000-000400000000",  # the year 10889
        "00000000-0000-8fff-bfff-ffffffffffff",  # thirteen digits of sequence
    ],
)
def test_texts_that_are_no_audit_id(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- uuid has words of its own
        audit_id.decode(text)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-03-20T14:22:01.481Z", NOW),
        ("2026-03-20t14:22:01.481z", NOW),
        ("2026-03-20T14:22:01.481999999Z", NOW),
        ("2026-03-20T15:22:01.481+01:00", NOW),
        ("2026-03-20T08:52:01.481-05:30", NOW),
        ("2026-03-20T14:22:01.481-00:00", NOW),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2028-02-29T00:00:00Z", 1_835_395_200_000),
        ("0001-01-01T00:00:00Z", instants.MIN_MS),
        ("9999-12-31T23:59:59.999Z", instants.MAX_MS),
    ],
)
def test_instants_that_rfc_3339_knows(text: str, ms: int) -> None:
    assert instants.from_text(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-20",
        "2026-03-20T14:22Z",
        "2026-03-20T14:22:01",
        "2026-03-20 14:22:01Z",
        "2026-03-20T14:22:01,5Z",
        "2026-03-20T14:22:01.Z",
        "2026-03-20T14:22:01.1234567890Z",
        "2026-03-20T14:22:01+0100",
        "2026-03-20T14:22:01+01",
        "2026-03-20T14:22:01+01:00:30",
        "2026-03-20T14:22:01+24:00",
        "2026-03-20T14:22:01+01:60",
        "2026-03-20T24:00:00Z",
        "2026-03-20T23:59:60Z",
        "2026-03-20T14:60:00Z",
        "2027-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "20260320T142201Z",
        "2026-W12-5T00:00:00Z",
        "２０２６-03-20T14:22:01Z",
        "2026-03-20T14:22:01Z\n",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_instants_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- datetime has words of its own
        instants.from_text(text)


def test_midnights() -> None:
    assert instants.first_midnight_at_or_after(MIDNIGHT) == MIDNIGHT
    assert instants.first_midnight_at_or_after(MIDNIGHT + 1) == MIDNIGHT + instants.DAY_MS
    assert instants.first_midnight_at_or_after(MIDNIGHT - 1) == MIDNIGHT
    assert instants.day(MIDNIGHT) == "2026-03-20"
    assert instants.day(MIDNIGHT - 1) == "2026-03-19"
