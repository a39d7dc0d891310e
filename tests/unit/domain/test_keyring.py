# SPDX-License-Identifier: Apache-2.0
"""Key rings: known answers, both directions, and every named way of being wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import instants, keyring, note
from indelible.domain.checkpoint import Checkpoint, SignedCheckpoint, signed_checkpoint
from indelible.domain.keyring import BrokenRing, KeyEnded, KeyRing, KeyStatement, MalformedStatement
from indelible.domain.note import BadSignature, MalformedNote, NotSigned
from tests.vectors.keys import generate

VECTORS = Path(generate.__file__).parent
ACCEPTED: dict[str, Any] = json.loads((VECTORS / "accepted.json").read_text())
REFUSED: dict[str, Any] = json.loads((VECTORS / "refused.json").read_text())
ERRORS = {error.__name__: error for error in (BrokenRing, NotSigned, BadSignature, MalformedNote)}
NOTES = [stated["note"].encode() for stated in ACCEPTED["statements"]]
KEYS = [bytes.fromhex(stated["public_key"]) for stated in ACCEPTED["statements"]]


def test_the_files_are_what_the_generator_writes() -> None:
    assert generate.content() == {"accepted.json": ACCEPTED, "refused.json": REFUSED}


@pytest.mark.parametrize("count", [1, 2, 3])
def test_every_key_leads_to_all(count: int) -> None:
    rings = {KeyRing.trusting(key, NOTES[:count], ledger_name="indelible") for key in KEYS[:count]}

    (ring,) = rings
    assert ring.public_keys == tuple(KEYS[:count])
    assert ring.newest.generation == count
    assert [key.statement.data for key in ring.keys if key.statement] == NOTES[:count]
    begins = [instants.from_text(stated["valid_from"]) for stated in ACCEPTED["statements"][:count]]
    assert [key.valid_from_ms for key in ring.keys] == begins
    assert [key.valid_until_ms for key in ring.keys] == [*begins[1:], None]


@pytest.mark.parametrize("case", REFUSED["statements"], ids=lambda case: case["name"])
def test_what_is_no_statement_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(MalformedNote):
        keyring.parse_statement(note.parse_note(case["note"]).text)
    with pytest.raises(MalformedNote):
        KeyRing.trusting(KEYS[1], [NOTES[0], case["note"].encode()], ledger_name="indelible")


@pytest.mark.parametrize("case", REFUSED["rings"], ids=lambda case: case["name"])
def test_a_ring_that_does_not_hold_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(ERRORS[case["error"]]) as refused:
        KeyRing.trusting(
            bytes.fromhex(case["pinned"]), [made.encode() for made in case["notes"]], ledger_name="indelible"
        )
    assert type(refused.value) in (ERRORS[case["error"]], MalformedStatement)


def test_lines_of_strangers_on_a_statement_are_nobodys_business() -> None:
    more = NOTES[1] + generate.note(generate.TWO, generate.X).split("\n\n")[1].encode()

    assert KeyRing.trusting(KEYS[0], [NOTES[0], more], ledger_name="indelible").public_keys == tuple(KEYS[:2])


def test_a_statement_is_made_as_the_generator_makes_it() -> None:
    ring = KeyRing.trusting(KEYS[0], NOTES[:2], ledger_name="indelible")
    made = keyring.following(ring, KEYS[2], valid_from_ms=instants.from_text(generate.TIMES[2]))
    message = made.text.encode()
    signatures = [(generate.public(seed), generate.private(seed).sign(message)) for seed in (generate.C, generate.B)]

    assert keyring.signed_statement(made, signatures).data == NOTES[2]


def test_a_statement_with_a_wrong_signature_is_not_made() -> None:
    stated = KeyStatement("indelible", 1, KEYS[0], 0)
    with pytest.raises(BadSignature):
        keyring.signed_statement(stated, [(KEYS[0], bytes(64))])


def test_a_successor_begins_later_whatever_the_clock_says() -> None:
    ring = KeyRing.trusting(KEYS[0], NOTES[:1], ledger_name="indelible")
    begun = ring.newest.valid_from_ms
    assert begun is not None
    assert keyring.following(ring, KEYS[1], valid_from_ms=0).valid_from_ms == begun + 1


def test_nobody_follows_a_key_without_a_statement() -> None:
    with pytest.raises(BrokenRing):
        keyring.following(KeyRing.of_one("indelible", KEYS[0]), KEYS[1], valid_from_ms=0)


@pytest.mark.parametrize(
    ("generation", "previous"), [(0, "GENESIS"), (10_000, "5e" * 32), (1, "5e" * 32), (2, "GENESIS"), (2, "5E" * 32)]
)
def test_no_statement_that_could_not_be_read_back(generation: int, previous: str) -> None:
    with pytest.raises(MalformedStatement):
        KeyStatement("indelible", generation, KEYS[0], 0, previous)


def signed_by(*seeds: int) -> SignedCheckpoint:
    unsigned = Checkpoint("indelible", 1, bytes(32))
    key: Ed25519PrivateKey = generate.private(seeds[0])
    one = signed_checkpoint(unsigned, generate.public(seeds[0]), key.sign(unsigned.text.encode()))
    return SignedCheckpoint(unsigned, one.note, tuple(generate.public(seed) for seed in seeds))


def test_a_key_must_not_sign_for_records_from_its_end_on() -> None:
    ring = KeyRing.trusting(KEYS[2], NOTES, ledger_name="indelible")
    end = ring.keys[0].valid_until_ms
    assert end is not None

    ring.refuse_late(signed_by(generate.A), end - 1)
    ring.refuse_late(signed_by(generate.B), end)
    ring.refuse_late(signed_by(generate.C), 0)  # what waited for the anchor is older than its key
    ring.refuse_late(signed_by(generate.A, generate.B), end)
    with pytest.raises(KeyEnded):
        ring.refuse_late(signed_by(generate.A), end)
    KeyRing.of_one("indelible", KEYS[0]).refuse_late(signed_by(generate.A), end)
