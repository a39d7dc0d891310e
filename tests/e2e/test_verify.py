# SPDX-License-Identifier: Apache-2.0
"""Verifying ranges of an honest chain. What tampering looks like is in test_tampering.py."""

from __future__ import annotations

import time
from typing import Any

import pytest

from indelible.domain import instants
from indelible.domain.record import Record
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge
from tests.e2e.helpers.tenant import EVENT, Tenant, events, fresh, named

HOUR_MS = 3_600_000
_FIELDS = {
    "valid",
    "entries_checked",
    "first_broken_at",
    "verification_time_ms",
    "failures",
    "failures_total",
    "pending",
    "complete",
    "next_seq",
    "checkpoint",
}


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    """One for each test: an organisation's share is ten verifications at once."""
    return fresh(ledger, "verify")


@pytest.fixture
def chain(org: Tenant) -> list[Record]:
    """Twelve records, one every ten hours, the last one ten days ago: six different days."""
    start = time.time_ns() // 1_000_000 - 15 * 24 * HOUR_MS
    return Forge(Admin.of(org.ledger), org.org_id).written(12, now_ms=start, step_ms=10 * HOUR_MS)


def _expect_valid(verdict: dict[str, Any], count: int) -> None:
    assert verdict.keys() == _FIELDS
    assert verdict.pop("verification_time_ms") >= 0
    assert verdict == {
        "valid": True,
        "entries_checked": count,
        "first_broken_at": None,
        "failures": [],
        "failures_total": 0,
        "pending": [],
        "complete": True,
        "next_seq": None,
        "checkpoint": None,  # of anchored ones: test_merkle_log.py
    }


def test_a_whole_chain_is_valid(ledger: Outputs) -> None:
    org = fresh(ledger, "whole")
    org.record_batch(events(30))
    org.record()
    _expect_valid(org.verify(), 31)


@pytest.mark.parametrize("asked", [{}, {"start_seq": 1}, {"end_seq": 9}, {"from": "2026-01-01T00:00:00Z"}])
def test_an_empty_chain_is_valid(ledger: Outputs, asked: dict[str, Any]) -> None:
    _expect_valid(fresh(ledger, "empty").verify(**asked), 0)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (None, None, 12),
        (1, 12, 12),
        (1, 1, 1),
        (12, 12, 1),
        (12, None, 1),
        (5, 8, 4),
        (2, None, 11),
        (None, 7, 7),
        (1, 999_999_999_999, 12),
        (13, None, 0),
        (400, 500, 0),
        (999_999_999_999, None, 0),
    ],
)
def test_a_range_of_sequences(org: Tenant, chain: list[Record], start: int | None, end: int | None, count: int) -> None:
    asked = {"start_seq": start, "end_seq": end}
    _expect_valid(org.verify(**{name: value for name, value in asked.items() if value is not None}), count)


@pytest.mark.parametrize(
    ("first", "last", "shift_ms", "count"),
    [
        (0, 11, 0, 12),
        (0, None, 0, 12),
        (None, 11, 0, 12),
        (3, 6, 0, 4),
        (3, 6, 1, 4),  # both ends a millisecond later: the first drops out unless it is the same record
        (5, 5, 0, 1),
        (11, None, 1, 0),
        (None, 0, -1, 0),
    ],
)
def test_a_range_of_time(
    org: Tenant, chain: list[Record], first: int | None, last: int | None, shift_ms: int, count: int
) -> None:
    asked = {}
    if first is not None:
        asked["from"] = instants.to_text(chain[first].timestamp_ms + shift_ms)
    if last is not None:
        asked["to"] = instants.to_text(chain[last].timestamp_ms + shift_ms)
    expected = count - (shift_ms > 0 and last is not None)
    _expect_valid(org.verify(**asked), expected)


def test_time_and_sequence_together_mean_both(org: Tenant, chain: list[Record]) -> None:
    asked = {"from": instants.to_text(chain[2].timestamp_ms), "start_seq": 6, "end_seq": 8}
    _expect_valid(org.verify(**asked), 3)


def test_instants_may_have_any_offset(org: Tenant, chain: list[Record]) -> None:
    text = instants.to_datetime(chain[4].timestamp_ms).astimezone().isoformat()
    _expect_valid(org.verify(**{"from": text, "to": text}), 1)
    local = instants.to_text(chain[4].timestamp_ms + 2 * HOUR_MS).replace("Z", "+02:00")
    _expect_valid(org.verify(**{"from": local, "to": local}), 1)


def test_a_range_is_held_against_the_record_before_it(ledger: Outputs) -> None:
    org = fresh(ledger, "predecessor")
    forge = Forge(Admin.of(ledger), org.org_id)
    start = time.time_ns() // 1_000_000 - 8 * 24 * HOUR_MS
    chain = forge.build(3, now_ms=start, step_ms=30 * HOUR_MS)
    stranger = forge.build(3, now_ms=start, step_ms=30 * HOUR_MS)
    mixed = [*chain[:2], stranger[2]]
    forge.commit(mixed)
    forge.seal(mixed)
    verdict = org.verify(start_seq=3)
    assert (verdict["valid"], named(verdict), verdict["first_broken_at"]) == (False, [("BROKEN_LINK", 3)], 3)
    assert org.verify(end_seq=2)["valid"] is True


def test_what_is_committed_and_not_yet_sealed_is_pending(ledger: Outputs) -> None:
    org = fresh(ledger, "pending")
    forge = Forge(Admin.of(ledger), org.org_id)
    chain = forge.build(4)
    forge.commit(chain, waiting=[2, 4])
    forge.seal(chain, without=[2, 4])
    verdict = org.verify()
    assert (verdict["valid"], verdict["entries_checked"], verdict["pending"]) == (True, 2, [2, 4])


def test_what_stays_unsealed_for_too_long_is_missing(ledger: Outputs) -> None:
    org = fresh(ledger, "late")
    forge = Forge(Admin.of(ledger), org.org_id)
    chain = forge.build(3, now_ms=time.time_ns() // 1_000_000 - HOUR_MS)
    forge.commit(chain, waiting=[2])
    forge.seal(chain, without=[2])
    verdict = org.verify()
    assert (verdict["valid"], named(verdict), verdict["pending"]) == (False, [("MISSING", 2)], [])


def test_verifying_writes_nothing(org: Tenant, chain: list[Record]) -> None:
    admin = Admin.of(org.ledger)
    before = admin.footprint(org.org_id)
    assert org.verify()["valid"] is True
    assert org.post("/v1/prove", {"audit_id": chain[0].audit_id}).status_code == 200
    assert admin.footprint(org.org_id) == before


def test_recording_goes_on_while_a_chain_is_verified(ledger: Outputs) -> None:
    org = fresh(ledger, "meanwhile")
    org.record_batch([EVENT] * 20)
    for expected in (21, 22, 23):
        org.record()
        verdict = org.verify()
        assert (verdict["valid"], verdict["entries_checked"]) == (True, expected)
