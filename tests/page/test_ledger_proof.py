# SPDX-License-Identifier: Apache-2.0
"""A checkpoint's place in the ledger's own log is checked, by the proof that came with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.ledger import leaf_data
from indelible.domain.note import Signature, parse_note
from indelible.page.parts import PageParts
from tests.page.conftest import Opener
from tests.page.samples import LEDGER, chain, ledger_proof, parts_of

PARTS = parts_of(chain(30), sizes=[10, 30])
INDEX, SIZE = 6, 11


def proof(leaf: bytes, *, origin: str = LEDGER, index: int = INDEX) -> bytes:
    """A proof file for this leaf among others of the ledger's log, cosigned by a witness."""
    made = ledger_proof(leaf, INDEX, SIZE, origin=origin)
    cosigned = made.checkpoint.with_signatures([Signature("witness.example.org/w1", b"abcd", bytes(72))])
    return replace(made, index=index, checkpoint=cosigned).data


def with_proof(data: bytes) -> PageParts:
    """The page, with a proof for its second checkpoint."""
    first, second = PARTS.checkpoints
    return replace(PARTS, checkpoints=(first, replace(second, ledger_proof=data)))


LEAF = leaf_data(parse_note(PARTS.checkpoints[1].note))


def test_a_good_proof_is_checked_and_its_cosigners_are_named(opens: Opener) -> None:
    page = opens(with_proof(proof(LEAF)))

    assert "Checkpoint 30 is entry 7 of 11 in the ledger’s own log: checked." in page.text("#anchors")
    assert "not checked: witness.example.org/w1" in page.text("#anchors")
    assert page.verdict["valid"] is True


@pytest.mark.parametrize(
    "data",
    [
        proof(bytes(32)),
        proof(LEAF, index=INDEX + 1),
        proof(LEAF, index=SIZE),
        proof(LEAF, origin="another"),
        proof(LEAF).replace(b"\n11\n", b"\n12\n"),
        proof(LEAF).replace(b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2"),
        b"\xff",
        b"",
    ],
    ids=[
        "another leaf",
        "another index",
        "no such index",
        "another log",
        "another size",
        "version",
        "bytes",
        "nothing",
    ],
)
def test_a_bad_one_does_not_hold(data: bytes, opens: Opener) -> None:
    page = opens(with_proof(data))

    assert "Checkpoint 30: its proof for the ledger’s own log does not hold" in page.text("#anchors li.bad")
    assert page.codes == [("CHECKPOINT_MISMATCH", 30)]
    assert page.complaints == []
