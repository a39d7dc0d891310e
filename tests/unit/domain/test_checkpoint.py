# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: one text for each, the right log's, and signed by it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from indelible.domain import checkpoint as checkpoints
from indelible.domain import note as notes
from indelible.domain.checkpoint import Checkpoint, MalformedCheckpoint, WrongOrigin
from indelible.domain.merkle import EMPTY_ROOT
from indelible.domain.note import BadSignature, NoteError, NotSigned, Signature
from indelible.errors import InvalidField
from tests.vectors.notes import mutations

PRIVATE = Ed25519PrivateKey.from_private_bytes(mutations.SEED)
PUBLIC = PRIVATE.public_key().public_bytes_raw()
ROOT = bytes(range(32))
ERRORS = {error.__name__: error for error in (BadSignature, MalformedCheckpoint, NotSigned, WrongOrigin)}
SPECIFICATION = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def signed(checkpoint: Checkpoint) -> checkpoints.SignedCheckpoint:
    return checkpoints.signed_checkpoint(checkpoint, PUBLIC, PRIVATE.sign(checkpoint.text.encode()))


def test_the_text_of_the_specification() -> None:
    found = checkpoints.parse_checkpoint(SPECIFICATION)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert found.text == SPECIFICATION


@pytest.mark.parametrize("size", [1, 9, 10, 2**53 + 1, checkpoints.MAX_SIZE])
@pytest.mark.parametrize("extensions", [(), ("x",), ("two words", "— not a signature", "ö")])
def test_written_and_read_again(size: int, extensions: tuple[str, ...]) -> None:
    made = signed(Checkpoint("indelible/acme-corp", size, ROOT, extensions))
    opened = checkpoints.open_checkpoint(made.note.data, origin="indelible/acme-corp", public_keys=[PUBLIC])
    assert opened == made
    assert opened.checkpoint.extensions == extensions


def test_the_empty_tree_has_a_checkpoint() -> None:
    assert checkpoints.parse_checkpoint(Checkpoint("a", 0, EMPTY_ROOT).text).size == 0


def test_a_checkpoint_with_cosignatures_opens_and_keeps_them() -> None:
    made = signed(Checkpoint("indelible", 3, ROOT))
    more = made.note.with_signatures([Signature("witness", b"wxyz", bytes(72))])
    opened = checkpoints.open_checkpoint(more.data.decode(), origin="indelible", public_keys=[PUBLIC])
    assert opened.note == more
    assert opened.checkpoint == made.checkpoint


@pytest.mark.parametrize(
    ("data", "error"), [case[1:] for case in mutations.checkpoints()], ids=[case[0] for case in mutations.checkpoints()]
)
def test_a_checkpoint_that_is_wrong_is_refused_as_what_it_is(data: str | bytes, error: str) -> None:
    with pytest.raises(NoteError) as caught:
        checkpoints.open_checkpoint(data, origin=mutations.LOG, public_keys=[PUBLIC])
    assert caught.type is ERRORS[error]


def test_another_key_is_not_the_logs() -> None:
    data = signed(Checkpoint("indelible", 3, ROOT)).note.data
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(NotSigned):
        checkpoints.open_checkpoint(data, origin="indelible", public_keys=[other])


def test_a_witness_cannot_speak_for_the_log_with_the_same_name_and_key() -> None:
    """A cosignature over the same text has another key id: it is no signature of the log."""
    text = Checkpoint("indelible", 3, ROOT).text
    key = notes.VerifierKey("indelible", PUBLIC, notes.COSIGNATURE)
    stamped = bytes(8) + PRIVATE.sign(b"cosignature/v1\ntime 0\n" + text.encode())
    cosigned = notes.Note(text, (Signature("indelible", key.key_id, stamped),))
    assert list(notes.verify(cosigned, [key])) == [key]
    with pytest.raises(NotSigned):
        checkpoints.open_checkpoint(cosigned.data, origin="indelible", public_keys=[PUBLIC])


def test_one_key_has_another_key_id_in_every_log() -> None:
    ids = {
        signed(Checkpoint(origin, 1, ROOT)).note.signatures[0].key_id
        for origin in ("indelible", "indelible/acme-corp", "indelible/globex")
    }
    assert len(ids) == 3


def test_origins() -> None:
    assert checkpoints.origin_of("indelible") == "indelible"
    assert checkpoints.origin_of("indelible", "acme-corp") == "indelible/acme-corp"
    assert checkpoints.origin_of("indelible", "_admin") == "indelible/_admin"


@pytest.mark.parametrize("parts", [("",), ("a/b",), ("a", ""), ("a", "b/c"), ("", "b"), ("a/", "b")])
def test_an_origin_cannot_pass_for_anothers(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="origin"):
        checkpoints.origin_of(*parts)


@pytest.mark.parametrize(
    ("origin", "size", "root", "extensions"),
    [
        ("", 1, ROOT, ()),
        ("a\nb", 1, ROOT, ()),
        ("a", -1, ROOT, ()),
        ("a", 2**63, ROOT, ()),
        ("a", 1, ROOT[:31], ()),
        ("a", 0, ROOT, ()),
        ("a", 1, ROOT, ("",)),
        ("a", 1, ROOT, ("x\n",)),
    ],
)
def test_what_would_not_be_read_back_is_not_made(
    origin: str, size: int, root: bytes, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(MalformedCheckpoint):
        Checkpoint(origin, size, root, extensions)


def test_a_wrong_signature_is_not_made_a_checkpoint_of() -> None:
    checkpoint = Checkpoint("indelible", 3, ROOT)
    with pytest.raises(BadSignature):
        checkpoints.signed_checkpoint(checkpoint, PUBLIC, PRIVATE.sign(b"something else"))
    with pytest.raises(InvalidField):
        signed(Checkpoint("in delible", 3, ROOT))
