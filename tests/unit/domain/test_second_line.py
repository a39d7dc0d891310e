# SPDX-License-Identifier: Apache-2.0
"""The line that the log's own ML-DSA-44 key makes below a checkpoint, against known answers by another hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from indelible.domain import note
from indelible.domain.checkpoint import (
    SignedCheckpoint,
    open_checkpoint,
    parse_checkpoint,
    second_message,
    with_second_line,
)
from indelible.domain.note import BadSignature, Note, cosigned_at, ml_dsa_44_from_spki, parse_note, parse_verifier_key

VECTOR = json.loads((Path(__file__).parents[2] / "vectors/notes/second-line.json").read_text())
NOTE = parse_note(VECTOR["note"])
FIRST, SECOND = (parse_verifier_key(text) for text in VECTOR["verifier_keys"])
CHECKPOINT = parse_checkpoint(NOTE.text)
ALONE = SignedCheckpoint(CHECKPOINT, Note(NOTE.text, NOTE.signatures[:1]), (FIRST.public_key,))
SIGNATURE = NOTE.signatures[1].signature[8:]


def test_the_message_is_that_of_the_specification() -> None:
    assert second_message(CHECKPOINT).hex() == VECTOR["message"]


def test_the_line_is_the_known_one() -> None:
    signed = with_second_line(ALONE, SECOND.public_key, SIGNATURE)

    assert signed.note.data.decode() == VECTOR["note"]
    assert (signed.checkpoint, signed.signed_by) == (CHECKPOINT, (FIRST.public_key,))
    assert open_checkpoint(signed.note.data, origin=CHECKPOINT.origin, public_keys=[FIRST.public_key]) == signed


def test_each_key_verifies_its_own_line_and_the_second_says_no_time() -> None:
    assert note.verify(NOTE, [FIRST, SECOND]) == dict(zip((FIRST, SECOND), NOTE.signatures, strict=True))
    assert cosigned_at(NOTE.signatures[1]) == 0


def test_any_good_signature_of_the_key_will_do() -> None:
    private = MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(VECTOR["seed"]))
    made = private.sign(second_message(CHECKPOINT))

    assert made != SIGNATURE
    signed = with_second_line(ALONE, private.public_key().public_bytes_raw(), made)
    assert note.verify(signed.note, [SECOND])


@pytest.mark.parametrize("wrong", [b"", bytes(2420), SIGNATURE[:-1], SIGNATURE + b"\0", bytes(8) + SIGNATURE])
def test_a_wrong_signature_makes_no_line(wrong: bytes) -> None:
    with pytest.raises(BadSignature):
        with_second_line(ALONE, SECOND.public_key, wrong)


def test_a_public_key_is_read_from_its_der_and_from_no_other() -> None:
    public = MLDSA44PrivateKey.from_seed_bytes(bytes.fromhex(VECTOR["seed"])).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    assert ml_dsa_44_from_spki(der) == SECOND.public_key
    for wrong in (b"", der[:-1], der + b"\0", b"\x31" + der[1:], der[22:]):
        with pytest.raises(ValueError, match="ML-DSA-44"):
            ml_dsa_44_from_spki(wrong)
