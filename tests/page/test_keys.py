# SPDX-License-Identifier: Apache-2.0
"""From one key that the reader trusts to all that signed, by the statements in the file and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from indelible.domain import instants
from indelible.domain.merkle import Subtree, leaf_hash, root_of
from indelible.domain.note import is_name, verifier_key
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


def test_the_names_on_signature_lines_are_those_of_every_other_verifier(opens: Opener) -> None:
    """Anybody can add a line to a note: what one reader takes for white space another one does, too."""
    odd = "\x00\x01\x1c\x1f \x7f\x85\xa0\u1680\u180e\u2028\u200b\u202f\u3000\ufeff+é"
    parts, strange = parts_of(chain(len(odd)), sizes=range(1, len(odd) + 1)), []
    for found, character in zip(parts.checkpoints, odd, strict=True):
        strange.append(replace(found, note=found.note + f"— a{character}b AAAAAAA=\n".encode()))

    page = opens(replace(parts, checkpoints=tuple(strange)))

    refused = [size for size, character in enumerate(odd, start=1) if not is_name(f"a{character}b")]
    assert len(refused) == 12
    assert page.codes == [("CHECKPOINT_MISMATCH", size) for size in refused]
