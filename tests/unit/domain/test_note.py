# SPDX-License-Identifier: Apache-2.0
"""Verifier keys against keys that the world uses, and against openssl's idea of a public key."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from indelible.domain import note
from indelible.errors import InvalidField

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


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "a+b", "a\u3000b", "a\n"])
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
