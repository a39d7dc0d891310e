# SPDX-License-Identifier: Apache-2.0
"""The record at its limits, its key, its id and its instants. Known bytes are in tests/vectors."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from indelible.domain import audit_id, instants, record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.receipt import Receipt
from indelible.domain.record import EMPTY_CHAIN, MAX_RECORD_BYTES, Head, Record, Retention, UnknownFormat
from indelible.errors import TooLarge
from tests.fakes.chains import GOVERNOR, ORG, RETENTION, build_chain
from tests.fakes.machine import MIDNIGHT

NOW = MIDNIGHT + 51_721_481
ONE = build_chain(1)[0]


def build(event: bytes = b'{"event_type":"X"}', **changed: object) -> Record:
    given = {
        "org_id": ORG,
        "head": EMPTY_CHAIN,
        "now_ms": NOW,
        "retention": RETENTION,
        "governor": GOVERNOR,
        "random": 0,
        **changed,
    }
    return record.build(event, **given)  # type: ignore[arg-type]


def padded(total: int) -> bytes:
    """An event with which the record has exactly this many bytes."""
    empty = canonical_bytes({"event_type": "X", "payload": {"p": ""}})
    return empty.replace(b'"p":""', b'"p":"%b"' % (b"x" * (total - len(build(empty).data))))


def test_a_record_of_exactly_256_kib_is_the_largest() -> None:
    assert MAX_RECORD_BYTES == 262_144
    largest = build(padded(MAX_RECORD_BYTES))
    assert len(largest.data) == MAX_RECORD_BYTES
    assert record.read(largest.data) == largest

    with pytest.raises(TooLarge) as refused:
        build(padded(MAX_RECORD_BYTES + 1))
    assert refused.value.field
    assert (refused.value.status, refused.value.retryable) == (413, False)


def test_every_event_within_the_events_limit_fits_whatever_the_rest_says() -> None:
    """The limit on events is checked before the head is known: no later head may push the record over."""
    event = b'{"event_type":"%b"}' % (b"x" * (record.MAX_EVENT_BYTES - 17))
    assert len(event) == record.MAX_EVENT_BYTES

    longest = build(event, org_id="z" * 63, head=Head(10**12 - 2, "f" * 64, NOW), retention=Retention("COMPLIANCE", 1))

    assert len(longest.data) <= MAX_RECORD_BYTES


@pytest.mark.parametrize(
    ("now", "days", "until"),
    [
        ("2026-03-20T14:22:01.481Z", 2555, "2033-03-19T00:00:00.000Z"),
        ("2026-03-20T00:00:00.000Z", 1, "2026-03-21T00:00:00.000Z"),
        ("2026-03-20T00:00:00.001Z", 1, "2026-03-22T00:00:00.000Z"),
        ("2026-03-19T23:59:59.999Z", 1, "2026-03-21T00:00:00.000Z"),
        ("2028-02-28T12:00:00.000Z", 1, "2028-03-01T00:00:00.000Z"),
        ("2027-02-28T12:00:00.000Z", 1, "2027-03-02T00:00:00.000Z"),
        ("2028-02-29T00:00:00.000Z", 366, "2029-03-01T00:00:00.000Z"),
    ],
)
def test_it_is_kept_to_the_first_midnight_that_is_late_enough(now: str, days: int, until: str) -> None:
    built = build(now_ms=instants.from_text(now), retention=Retention("GOVERNANCE", days))

    assert instants.to_text(built.retain_until_ms) == until
    assert built.lock_mode == "GOVERNANCE"


def test_a_clock_behind_the_chain_is_put_right() -> None:
    later = Head(7, "ab" * 32, NOW + 5000)

    built = build(head=later)

    assert built.timestamp_ms == later.timestamp_ms
    assert audit_id.decode(built.audit_id).timestamp_ms == later.timestamp_ms
    assert (built.sequence, built.prev_hash) == (8, later.tx_hash)


@pytest.mark.parametrize("ms", [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + instants.DAY_MS - 1])
def test_the_day_of_the_key_is_the_day_of_the_timestamp(ms: int) -> None:
    built = build(now_ms=ms)

    assert built.s3_key.startswith(f"{ORG}/{instants.day(ms).replace('-', '/')}/000000000001-")
    parsed = record.parse_key(built.s3_key)
    assert parsed is not None
    assert (parsed.day, parsed.sequence, parsed.audit_id) == (instants.day(ms), 1, built.audit_id)


@pytest.mark.parametrize("org_id", ["a0", "0-", "acme-corp", "z" * 63])
def test_organisations_that_keys_can_name(org_id: str) -> None:
    assert record.parse_key(build(org_id=org_id).s3_key) is not None


@pytest.mark.parametrize(
    "org_id", ["a", "", "Acme", "-acme", "a" * 64, "acme corp", "acme_corp", "äcme", "acme\n", "a/b"]
)
def test_organisations_that_keys_cannot_name(org_id: str) -> None:
    key = build().s3_key.replace(ORG, org_id, 1)

    assert record.parse_key(key) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda key: key + "\n",
        lambda key: key.replace(".json", ""),
        lambda key: key.replace(".json", ".JSON"),
        lambda key: key.replace("/2026/", "/26/"),
        lambda key: re.sub(r"/\d{4}/\d\d/\d\d/", "/2020/99/99/", key),
        lambda key: re.sub(r"/\d{4}/\d\d/\d\d/", "/2026/02/29/", key),
        lambda key: re.sub(r"/\d{4}/\d\d/\d\d/", "/0000/01/01/", key),
        lambda key: key.replace("/000000000001-", "/1-"),
        lambda key: key.replace("/000000000001-", "/0000000000001-"),
        lambda key: key.replace("/000000000001-", "/٠٠٠٠٠٠٠٠٠٠٠١-"),
        lambda key: key.upper(),
        lambda key: "x" + key[1:-5] + "f.json",
        lambda key: f"{ORG}/_log/checkpoint",
    ],
)
def test_keys_that_name_no_record(change) -> None:  # type: ignore[no-untyped-def]
    assert record.parse_key(change(build().s3_key)) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: b" " + data,
        lambda data: data.replace(b'"prev_hash":"GENESIS"', b'"prev_hash":"genesis"'),
        lambda data: data.replace(b'"prev_hash":"GENESIS"', b'"prev_hash":""'),
        lambda data: data.replace(b'"sequence":1', b'"sequence":01'),
        lambda data: data.replace(b'"sequence":1', b'"sequence":0'),
        lambda data: data.replace(b'"sequence":1', b'"sequence":1.0'),
        lambda data: data.replace(b'"sequence":1', b'"sequence":-1'),
        lambda data: data.replace(b'"sequence":1', b'"sequence":1000000000000'),
        lambda data: data.replace(b'"sequence":1', '"sequence":١'.encode()),
        lambda data: data.replace(b"COMPLIANCE", b"compliance"),
        lambda data: data.replace(b"T14:22:01.481Z", b"T14:22:01Z"),
        lambda data: data.replace(b"T14:22:01.481Z", b"T14:22:01.481+00:00"),
        lambda data: data.replace(b"T14:22:01.481Z", b"T24:00:00.000Z"),
        lambda data: data.replace(b"T14:22:01.481Z", b"T14:22:61.481Z"),
        lambda data: data.replace(b'"2026-03-20T', b'"2026-02-30T'),
        lambda data: data.replace(b'"2026-03-20T', b'"0000-03-20T'),
        lambda data: data.replace(b'"event":{', b'"event":['),
        lambda data: data.replace(b'"audit_id":"', b'"audit_id":"{'),
        lambda data: data.replace(b"indelible/record@v1", b"indelible/record@v2"),
        lambda data: data.replace(b"indelible/record@v1", b"indelible/record@v1\\u0000"),
        lambda data: data.replace(b"indelible/record@v1", b"\xff"),
        lambda data: data.replace(b"indelible/record@v1", b""),
        lambda data: b"",
        lambda data: b"{}",
        lambda data: data[: len(data) // 2],
        lambda data: data[1:],
    ],
)
def test_bytes_that_are_no_record_are_refused_and_nothing_else(change) -> None:  # type: ignore[no-untyped-def]
    data = change(build().data)
    assert data != build().data

    with pytest.raises(UnknownFormat):
        record.read(data)


def test_a_future_format_is_named() -> None:
    with pytest.raises(UnknownFormat, match="indelible/record@v9"):
        record.read(build().data.replace(b"record@v1", b"record@v9"))


def test_the_governor_signature_depends_on_every_other_member() -> None:
    def signature(built: Record) -> bytes:
        return built.data.split(b'"governor_signature":"')[1][:64]

    seen = {
        signature(build()),
        signature(build(b'{"event_type":"Y"}')),
        signature(build(random=1)),
        signature(build(now_ms=NOW + 1)),
        signature(build(org_id="globex")),
        signature(build(head=Head(1, "ab" * 32, 0))),
        signature(build(head=Head(1, "ac" * 32, 0))),
        signature(build(retention=Retention("GOVERNANCE", 2555))),
        signature(build(retention=Retention("COMPLIANCE", 2556))),
        signature(build(governor=replace(GOVERNOR, secret=b"another"))),
    }

    assert len(seen) == 10


def test_a_key_after_the_empty_chain_is_before_everything() -> None:
    assert record.key_after(ORG, EMPTY_CHAIN) < build(now_ms=0).s3_key


def test_a_receipt_says_what_the_record_says() -> None:
    receipt = Receipt.of(ONE, "v1")

    assert (receipt.audit_id, receipt.tx_hash, receipt.sequence) == (ONE.audit_id, ONE.tx_hash, 1)
    assert (receipt.prev_hash, receipt.s3_key, receipt.s3_version_id) == ("GENESIS", ONE.s3_key, "v1")
    assert (receipt.timestamp, receipt.retention_until) == ("2026-03-20T00:00:00.000Z", "2033-03-18T00:00:00.000Z")
    assert receipt.s3_lock_mode == "COMPLIANCE"
