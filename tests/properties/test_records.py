# SPDX-License-Identifier: Apache-2.0
"""The bytes of a record are its canonical serialization, and reading them from both ends tells no lies."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from indelible.domain import audit_id, instants, record
from indelible.domain.canonical import canonical_bytes
from indelible.domain.record import GENESIS, GovernorKey, Head, Record, Retention, UnknownFormat
from tests.fakes.chains import GOVERNOR, build_chain
from tests.properties.strategies import events, hashes, json_objects, moments, org_ids, random_bits, sequences, text

DECADES = 250_000_000_000_000  # some years before the end of time, so that retention still fits


@st.composite
def records(draw: st.DrawFn, event: st.SearchStrategy[Any] = events) -> tuple[Record, Any]:
    """A record of any event anywhere in any chain, and the event."""
    body = draw(event)
    sequence = draw(sequences)
    now_ms = draw(st.integers(0, DECADES))
    built = record.build(
        canonical_bytes(body),
        org_id=draw(org_ids),
        head=Head(sequence - 1, GENESIS if sequence == 1 else draw(hashes), draw(st.integers(0, DECADES))),
        now_ms=now_ms,
        retention=Retention(draw(st.sampled_from(["COMPLIANCE", "GOVERNANCE"])), draw(st.integers(1, 36_500))),
        governor=GovernorKey("k1", draw(st.binary(min_size=1, max_size=40))),
        random=draw(random_bits),
    )
    return built, body


@given(records())
def test_the_bytes_are_the_rfc_8785_serialization(made: tuple[Record, Any]) -> None:
    built, body = made

    parsed = json.loads(built.data)

    assert rfc8785.dumps(parsed) == built.data
    assert parsed["event"] == body


@given(records())
def test_reading_gives_what_was_built(made: tuple[Record, Any]) -> None:
    built, _ = made

    assert record.read(built.data) == built
    assert record.parse_key(built.s3_key) == record.RecordKey(
        built.org_id, instants.day(built.timestamp_ms), built.sequence, built.audit_id
    )


@given(records())
def test_it_is_never_earlier_than_its_predecessor_and_held_to_a_midnight(made: tuple[Record, Any]) -> None:
    built, _ = made

    assert built.retain_until_ms % instants.DAY_MS == 0
    assert built.retain_until_ms > built.timestamp_ms
    located = audit_id.decode(built.audit_id)
    assert (located.sequence, located.timestamp_ms) == (built.sequence, built.timestamp_ms)


IMITATIONS = build_chain(2, org_id="globex", seed=9)


@st.composite
def impostors(draw: st.DrawFn) -> dict[str, Any]:
    """Events that imitate a record, or the end of one, as objects and as text."""
    whole = draw(st.sampled_from(IMITATIONS)).data
    tail = whole[whole.rindex(b',"format"') :].decode()
    members = {name: value for name, value in json.loads(whole).items() if name != "event"}
    piece: Any = draw(
        st.sampled_from([whole.decode(), tail, tail + "}", "}}" + tail, '"' + tail, json.loads(whole), members])
    )
    payload = draw(json_objects)
    payload[draw(st.sampled_from(["z", "format", "timestamp", "}", "zzz\uffff"]) | text)] = piece
    return {"event_type": "X", "payload": payload, **draw(st.sampled_from([{}, members, {"zz": piece}]))}


@given(records(impostors()))
def test_a_payload_that_imitates_a_record_fools_nobody(made: tuple[Record, Any]) -> None:
    built, _ = made
    says = json.loads(built.data)

    found = record.read(built.data)

    assert (found.org_id, found.sequence, found.prev_hash) == (says["org_id"], says["sequence"], says["prev_hash"])
    assert (found.audit_id, instants.to_text(found.timestamp_ms)) == (says["audit_id"], says["timestamp"])
    assert instants.to_text(found.retain_until_ms) == says["retain_until"]
    assert found == built


@given(records(), st.data())
def test_what_can_be_read_after_a_cut_is_nothing(made: tuple[Record, Any], data: st.DataObject) -> None:
    built, _ = made
    size = data.draw(st.integers(0, len(built.data) - 1))

    with pytest.raises(UnknownFormat):
        record.read(built.data[:size])


@given(moments, sequences, random_bits)
def test_an_audit_id_tells_its_place(timestamp_ms: int, sequence: int, random: int) -> None:
    text_form = audit_id.encode(timestamp_ms, sequence, random)

    assert audit_id.decode(text_form) == audit_id.Location(timestamp_ms, sequence)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text_form)
    assert record.parse_key(record.key_for("acme-corp", text_form)) is not None


@given(moments, moments, sequences, sequences, random_bits, random_bits)
def test_later_records_have_later_ids_and_keys(a: int, b: int, m: int, n: int, x: int, y: int) -> None:
    assume(m != n)
    early, late = (min(a, b), min(m, n)), (max(a, b), max(m, n))
    first, second = audit_id.encode(*early, x), audit_id.encode(*late, y)

    assert first < second
    assert record.key_for("acme-corp", first) < record.key_for("acme-corp", second)
    head = Head(early[1], "0" * 64, early[0])
    assert record.key_for("acme-corp", first) < record.key_after("acme-corp", head)
    assert record.key_after("acme-corp", head) < record.key_for("acme-corp", second)


@given(st.text(max_size=50) | st.uuids().map(str) | st.from_regex(r"[0-9a-fA-F-]{36}", fullmatch=True))
def test_any_text_is_an_audit_id_with_a_key_or_a_value_error(text_form: str) -> None:
    try:
        key = record.key_for("acme-corp", text_form)
    except ValueError:
        return
    assert record.parse_key(key) is not None


@given(moments)
def test_instants_survive_their_text(ms: int) -> None:
    assert instants.from_text(instants.to_text(ms)) == ms
    midnight = instants.first_midnight_at_or_after(ms)
    assert midnight % instants.DAY_MS == 0
    assert 0 <= midnight - ms < instants.DAY_MS


@given(st.from_regex(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", fullmatch=True))
def test_an_instant_is_refused_or_has_a_day(text_form: str) -> None:
    try:
        ms = instants.from_text(text_form)
    except ValueError:
        return
    assert instants.from_text(instants.to_text(ms)) == ms
    assert record.day_prefix("acme-corp", ms).startswith("acme-corp/")


def test_the_longest_tail_is_read() -> None:
    built = record.build(
        b'{"event_type":"X"}',
        org_id="z" * 63,
        head=Head(10**12 - 2, "f" * 64, 0),
        now_ms=DECADES,
        retention=Retention("GOVERNANCE", 1),
        governor=GovernorKey("k" * 32, GOVERNOR.secret),
        random=0,
    )
    future = built.data.replace(b"indelible/record@v1", b"f" * 64)

    assert record.read(built.data) == built
    with pytest.raises(UnknownFormat, match="f" * 64):
        record.read(future)
