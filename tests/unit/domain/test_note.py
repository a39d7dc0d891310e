# SPDX-License-Identifier: Apache-2.0
"""Signed notes and their keys: as other people's code writes them, and every named way of being wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from indelible.domain import merkle, note
from indelible.domain.note import BadSignature, MalformedKey, MalformedNote, Note, NoteError, Signature, VerifierKey
from indelible.errors import InvalidField
from tests.vectors.notes import mutations

VECTORS = Path(__file__).parents[2] / "vectors"
ACCEPTED: list[dict[str, Any]] = json.loads((VECTORS / "notes/accepted.json").read_text())["notes"]
PRIVATE = Ed25519PrivateKey.from_private_bytes(mutations.SEED)
KEY = VerifierKey(mutations.LOG, PRIVATE.public_key().public_bytes_raw())
WITNESS = VerifierKey("witness.example.com/w1", KEY.public_key, note.COSIGNATURE)
ERRORS = {error.__name__: error for error in (BadSignature, MalformedNote, note.NotSigned)}

# The verifier keys of the Go checksum database (cmd/go) and of the example in golang.org/x/mod/sumdb/note.
KNOWN = [
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
]


@pytest.mark.parametrize("vkey", KNOWN)
def test_known_verifier_keys_come_out_as_the_world_knows_them(vkey: str) -> None:
    name, hashed, key = vkey.split("+", 2)
    public_key = base64.b64decode(key)[1:]
    assert note.key_hash(name, public_key) == hashed
    assert note.verifier_key(name, public_key) == vkey


def test_the_name_is_part_of_the_identity() -> None:
    assert note.key_hash("ledger", b"\x01" * 32) != note.key_hash("ledger/acme-corp", b"\x01" * 32)


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a+b", "a\u3000b", "a\n", "a\x00b", "a\ud800"])
def test_a_name_that_a_note_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(InvalidField):
        note.verifier_key(name, b"\x01" * 32)


@pytest.mark.parametrize("length", [0, 31, 33, 44])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(InvalidField):
        note.key_hash("ledger", b"\x01" * length)


def test_spki_and_pem_agree_with_openssl() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    raw = key.public_bytes_raw()
    assert note.ed25519_from_spki(der) == raw
    assert note.public_key_pem(raw) == key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize(
    "der",
    [
        b"",
        bytes(44),
        bytes.fromhex("302a300506032b6570032100") + bytes(31),
        bytes.fromhex("302a300506032b6570032100") + bytes(33),
        bytes.fromhex("302a300506032b656e032100") + bytes(32),  # X25519
    ],
)
def test_what_is_no_ed25519_key_is_not_taken_for_one(der: bytes) -> None:
    with pytest.raises(ValueError, match="Ed25519"):
        note.ed25519_from_spki(der)


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: str(case["name"]))
def test_notes_of_the_go_libraries_are_read_written_and_verified(case: dict[str, Any]) -> None:
    keys = [note.parse_verifier_key(key) for key in case["keys"]]
    read = note.parse_note(case["note"].encode())
    assert note.parse_note(case["note"]) == read
    assert read.data.decode() == case["note"]
    assert [str(key) for key in note.verify(read, keys)] == case["signed_by"]


def test_a_cosignature_says_when() -> None:
    case = next(case for case in ACCEPTED if case["name"] == "cosigned")
    log, witness = (note.parse_verifier_key(key) for key in case["keys"])
    verified = note.verify(note.parse_note(case["note"]), [log, witness])
    assert (log.kind, witness.kind) == (note.ED25519, note.COSIGNATURE)
    assert 1_767_225_600 < note.cosigned_at(verified[witness]) < 1 << 40
    moved = Signature(witness.name, witness.key_id, b"\0" * 8 + verified[witness].signature[8:])
    text = note.parse_note(case["note"]).text
    for forged in (moved, Signature(witness.name, witness.key_id, b"\xff" * 72), Signature("w", b"0000", b"x")):
        with pytest.raises(NoteError):
            note.verify(Note(text, (forged,)), [witness])


def stamped(time: int) -> Signature:
    """A cosignature by the key of this file, as c2sp.org/tlog-cosignature says it is made."""
    signature = PRIVATE.sign(b"cosignature/v1\ntime %d\n" % time + mutations.TEXT.encode())
    return Signature(WITNESS.name, WITNESS.key_id, time.to_bytes(8, "big") + signature)


def test_a_witness_that_signed_twice_counts_once_with_its_first_line() -> None:
    twice = Note(mutations.TEXT, (stamped(7), stamped(5)))
    assert note.verify(twice, [WITNESS, KEY]) == {WITNESS: stamped(7)}


def test_a_time_beyond_two_to_the_63_is_refused() -> None:
    assert note.cosigned_at(note.verify(Note(mutations.TEXT, (stamped(2**63 - 1),)), [WITNESS])[WITNESS]) == 2**63 - 1
    with pytest.raises(BadSignature):
        note.verify(Note(mutations.TEXT, (stamped(2**63),)), [WITNESS])


def test_a_signature_line_from_the_specification() -> None:
    """The example of c2sp.org/tlog-cosignature; its keys are not given there."""
    text = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+"
        "zyWE+xeMcTOAYQ8=\n— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b"
        "2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    )
    read = note.parse_note(text)
    assert read.data.decode() == text
    assert note.cosigned_at(read.signatures[1]) == 1_679_315_147  # as in the specification's message


@pytest.mark.parametrize(
    ("data", "error"), [case[1:] for case in mutations.notes()], ids=[case[0] for case in mutations.notes()]
)
def test_a_note_that_is_wrong_is_refused_as_what_it_is(data: str | bytes, error: str) -> None:
    with pytest.raises(NoteError) as caught:
        note.verify(note.parse_note(data), [KEY])
    assert caught.type is ERRORS[error]


@pytest.mark.parametrize("file", mutations.FILES)
def test_the_refused_vectors_are_what_their_generator_makes(file: str) -> None:
    assert (VECTORS / file).read_text() == mutations.content(mutations.FILES[file]())


def test_sixteen_and_a_hundred_signatures_are_accepted_and_no_more() -> None:
    for count in (1, 16, 100):
        many = mutations.TEXT + "\n" + mutations.line(mutations.TEXT) * count
        assert list(note.verify(note.parse_note(many), [KEY])) == [KEY]
    line = note.parse_signatures(mutations.line(mutations.TEXT))
    with pytest.raises(MalformedNote):
        Note(mutations.TEXT, line * 101)


def test_making_a_note() -> None:
    text = mutations.TEXT
    made = note.signed_note(text, KEY.name, KEY.public_key, PRIVATE.sign(text.encode()))
    assert made.data.decode() == mutations.signed(text)
    witness = Signature("witness", b"wxyz", bytes(72))
    both = made.with_signatures([witness])
    assert both.signatures == (*made.signatures, witness)
    assert both.with_signatures([witness, *made.signatures]) == both
    assert note.parse_note(both.data) == both


@pytest.mark.parametrize("signature", [b"", b"x", bytes(64), bytes(65)])
def test_a_wrong_signature_is_not_made_a_note_of(signature: bytes) -> None:
    with pytest.raises(NoteError):
        note.signed_note(mutations.TEXT, KEY.name, KEY.public_key, signature)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "return\r\n", "\ud800\n", "x" * 1_000_000 + "\n"])
def test_a_text_that_a_note_cannot_carry_is_refused(text: str) -> None:
    with pytest.raises(MalformedNote):
        Note(text, (Signature("a", b"0000", b"x"),))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "a\x1bb", "\ud800"])
def test_a_signature_has_a_name(name: str) -> None:
    with pytest.raises(MalformedNote):
        Signature(name, b"0000", b"x")
    with pytest.raises(InvalidField):
        note.signed_note(mutations.TEXT, name, KEY.public_key, bytes(64))


@pytest.mark.parametrize("vkey", KNOWN)
def test_verifier_keys_are_read(vkey: str) -> None:
    assert str(note.parse_verifier_key(vkey)) == vkey


@pytest.mark.parametrize(
    ("what", "vkey"),
    [
        ("nothing", ""),
        ("one part", "sum.golang.org"),
        ("two parts", "sum.golang.org+033de0ae"),
        ("no name", KNOWN[0].removeprefix("sum.golang.org")),
        ("another name", KNOWN[0].replace("golang", "go1ang")),
        ("space in the name", KNOWN[0].replace("sum.", "sum ")),
        ("another hash", KNOWN[0].replace("033de0ae", "033de0af")),
        ("hash in capitals", KNOWN[0].replace("033de0ae", "033DE0AE")),
        ("hash cut short", KNOWN[0].replace("033de0ae", "33de0ae")),
        ("another key", KNOWN[0].replace("Ac4", "Ac5")),
        ("key cut short", "a+00000000+" + base64.b64encode(b"\x01" + bytes(31)).decode()),
        ("only a kind", "a+00000000+AQ=="),
        ("unknown kind", "a+00000000+" + base64.b64encode(b"\x05" + bytes(32)).decode()),
        ("no padding", "a+00000000+AQ"),
        ("newline", KNOWN[0] + "\n"),
        ("surrogate", KNOWN[0].replace("sum", "\ud800")),
    ],
)
def test_what_is_no_verifier_key_is_refused(what: str, vkey: str) -> None:
    with pytest.raises(MalformedKey):
        note.parse_verifier_key(vkey)


def test_a_kind_of_key_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidField):
        VerifierKey("a", bytes(32), 0x02)


def test_a_proof_that_leads_nowhere_and_a_bad_note_are_both_value_errors() -> None:
    assert issubclass(NoteError, ValueError)
    assert issubclass(merkle.ProofInvalid, ValueError)
