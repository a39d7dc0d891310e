# SPDX-License-Identifier: Apache-2.0
"""Cosignatures with ML-DSA-44: real keys, the signed structure byte by byte, and readers who know nothing of it."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from indelible.domain import note
from indelible.domain.checkpoint import Checkpoint, open_checkpoint, signed_checkpoint
from indelible.domain.note import ML_DSA_44, BadSignature, NotSigned, Signature, VerifierKey
from indelible.domain.note_keys import subtree_message
from indelible.errors import InvalidField

NAME, ORIGIN, TIME = "cosigner.example/pq", "indelible/acme-corp", 1_800_000_000
PRIVATE = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
KEY = VerifierKey(NAME, PRIVATE.public_key().public_bytes_raw(), ML_DSA_44)
LOG = Ed25519PrivateKey.from_private_bytes(bytes([0x67]) * 32)
CHECKPOINT = Checkpoint(ORIGIN, 1000, hashlib.sha256(b"root").digest())
SIGNED = signed_checkpoint(CHECKPOINT, LOG.public_key().public_bytes_raw(), LOG.sign(CHECKPOINT.text.encode()))


def structure(name: str = NAME, time: int = TIME, origin: str = ORIGIN, start: int = 0, size: int = 1000) -> bytes:
    """c2sp.org/tlog-cosignature, `cosigned_message`, by another hand."""
    head = struct.pack("!12sB", b"subtree/v1\n\0", len(name)) + name.encode()
    middle = struct.pack("!QB", time, len(origin)) + origin.encode()
    return head + middle + struct.pack("!QQ32s", start, size, CHECKPOINT.root)


def line(message: bytes, time: int = TIME, key: VerifierKey = KEY) -> Signature:
    return Signature(key.name, key.key_id, struct.pack("!Q", time) + PRIVATE.sign(message))


def test_the_structure_is_the_one_of_the_specification() -> None:
    assert subtree_message(NAME, TIME, CHECKPOINT.text) == structure()
    assert subtree_message(NAME, TIME, CHECKPOINT.text + "an extension\n") == structure()


def test_key_id_and_verifier_key() -> None:
    assert len(KEY.public_key) == 1312
    assert KEY.key_id == hashlib.sha256(NAME.encode() + b"\n\x06" + KEY.public_key).digest()[:4]
    assert str(KEY) == f"{NAME}+{KEY.key_id.hex()}+{base64.b64encode(bytes([6]) + KEY.public_key).decode()}"
    assert note.parse_verifier_key(str(KEY)) == KEY


def test_a_cosignature_is_verified_and_says_when() -> None:
    cosigned = SIGNED.note.with_signatures([line(structure())])
    found = note.verify(note.parse_note(cosigned.data), [KEY])

    assert note.cosigned_at(found[KEY]) == TIME
    assert len(found[KEY].signature) == 8 + 2420


def test_who_does_not_know_the_kind_accepts_the_log_s_own_line() -> None:
    data = SIGNED.note.with_signatures([line(structure())]).data
    known = LOG.public_key().public_bytes_raw()

    assert open_checkpoint(data, origin=ORIGIN, public_keys=[known]).checkpoint == CHECKPOINT


@pytest.mark.parametrize(
    ("what", "message", "time"),
    [
        ("another name", structure(name="other"), TIME),
        ("another time", structure(time=TIME + 1), TIME),
        ("time changed on the line", structure(), TIME + 1),
        ("time beyond 63 bits", structure(time=1 << 63), 1 << 63),
        ("another origin", structure(origin="indelible/globex"), TIME),
        ("a subtree that starts later", structure(start=512), TIME),
        ("another size", structure(size=1001), TIME),
        ("the text itself", CHECKPOINT.text.encode(), TIME),
        ("as an Ed25519 cosigner would", b"cosignature/v1\ntime %d\n" % TIME + CHECKPOINT.text.encode(), TIME),
    ],
)
def test_what_was_signed_must_be_this_checkpoint(what: str, message: bytes, time: int) -> None:
    with pytest.raises(BadSignature):
        note.verify(SIGNED.note.with_signatures([line(message, time)]), [KEY])


@pytest.mark.parametrize("text", ["", "a\n", "a\n1\n", "a\n01\nAAAA\n", f"a\n-1\n{'A' * 43}=\n", "a\n1\nAAAA\n"])
def test_what_is_no_checkpoint_has_no_structure(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        subtree_message(NAME, TIME, text)
    assert not KEY.signed(text, bytes(2428))


def test_a_signature_cut_short_or_of_nobody() -> None:
    made = line(structure()).signature
    assert KEY.signed(CHECKPOINT.text, made)
    assert not any(
        KEY.signed(CHECKPOINT.text, wrong) for wrong in (made[:-1], made + b"\0", made[:8], b"x", bytes(2428))
    )
    with pytest.raises(NotSigned):
        note.verify(SIGNED.note, [KEY])


@pytest.mark.parametrize("size", [32, 1311, 1313])
def test_a_public_key_of_another_size_is_none(size: int) -> None:
    with pytest.raises(InvalidField):
        VerifierKey(NAME, bytes(size), ML_DSA_44)
