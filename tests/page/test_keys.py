# SPDX-License-Identifier: Apache-2.0
"""From one key that the reader trusts to all that signed, by the statements in the file and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from indelible.domain import instants
from indelible.domain.merkle import Subtree, leaf_hash, root_of
from indelible.domain.note import verifier_key
from indelible.domain.record import Record
from indelible.page.parts import PageCheckpoint, PageParts
from tests.page import samples
from tests.page.conftest import Opener
from tests.page.samples import EMPTY_CHAIN, LEDGER, Random, chain, parts_of
from tests.page.test_held import pin
from tests.vectors import load
from tests.vectors.keys import generate

NOTES = tuple(stated["note"].encode() for stated in load.vectors("keys/accepted.json")["statements"])
REFUSED: dict[str, Any] = load.vectors("keys/refused.json")


def signed(records: tuple[Record, ...], *, seed: int, keys: tuple[bytes, ...] = NOTES) -> PageParts:
    """A page over these records, whose one checkpoint the key of this seed signed."""
    root = root_of(Subtree(0, leaf_hash(bytes.fromhex(record.tx_hash))) for record in records)
    note = samples.note(len(records), root, key=generate.private(seed))
    return replace(parts_of(records), checkpoints=(PageCheckpoint(len(records), note),), keys=keys)


@pytest.mark.parametrize("by", generate.SEEDS)
def test_every_key_leads_to_every_other(by: int, opens: Opener) -> None:
    page = opens(signed(chain(5), seed=by))
    assert page.verdict["valid"] is True
    assert page.page.locator("#keys li").count() == 3

    for pinned in generate.SEEDS:
        pin(page, verifier_key(LEDGER, generate.public(pinned)))
        assert (page.verdict["valid"], page.verdict["pinned"]) == (True, True)
        assert "the one that you gave" in page.text(f"#keys li:nth-child({generate.SEEDS.index(pinned) + 1})")


def test_a_stranger_s_key_leads_nowhere(opens: Opener) -> None:
    page = opens(signed(chain(5), seed=generate.A))

    pin(page, verifier_key(LEDGER, generate.public(generate.X)))

    assert page.codes == [("BAD_SIGNATURE", 5)]


@pytest.mark.parametrize("case", [case for case in REFUSED["rings"] if case["notes"]], ids=lambda case: case["name"])
def test_a_ring_that_does_not_hold_is_not_believed(case: dict[str, Any], opens: Opener) -> None:
    keys = tuple(note.encode() for note in case["notes"])
    page = opens(signed(chain(5), seed=generate.A, keys=keys))

    pin(page, verifier_key(LEDGER, bytes.fromhex(case["pinned"])))

    assert page.verdict["valid"] is False
    assert {code for code, _ in page.codes} == {"BAD_SIGNATURE"}


def test_what_is_no_statement_is_not_believed(opens: Opener) -> None:
    for case in REFUSED["statements"]:
        page = opens(signed(chain(5), seed=generate.A, keys=(NOTES[0], case["note"].encode())))

        assert page.codes == [("BAD_SIGNATURE", None)], case["name"]
        assert page.text("#verdict-headline") == "Not valid"


def test_a_key_must_not_sign_for_records_from_its_end_on(opens: Opener) -> None:
    end = instants.from_text(generate.TIMES[1])

    def recorded(now_ms: int) -> tuple[Record, ...]:
        return (samples.sealed({"event_type": "X"}, head=EMPTY_CHAIN, now_ms=now_ms, random=Random(1)),)

    assert opens(signed(recorded(end - 1), seed=generate.A)).verdict["valid"] is True
    assert opens(signed(recorded(end), seed=generate.B)).verdict["valid"] is True
    assert opens(signed(recorded(end), seed=generate.A)).codes == [("BAD_SIGNATURE", 1)]
