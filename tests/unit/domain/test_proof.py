# SPDX-License-Identifier: Apache-2.0
"""Proof files: as other people's code writes them, and every named way of being wrong."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from indelible.domain import note, proof
from indelible.domain.checkpoint import MalformedCheckpoint, WrongOrigin
from indelible.domain.merkle import ProofInvalid
from indelible.domain.note import BadSignature, MalformedNote, NotSigned
from indelible.domain.proof import MalformedProof, TlogProof
from tests.vectors.notes import mutations

VECTORS = Path(__file__).parents[2] / "vectors/proofs"
ACCEPTED: dict[str, dict[str, Any]] = {
    case["name"]: case for case in json.loads((VECTORS / "accepted.json").read_text())["proofs"]
}
CASE = ACCEPTED["in-the-middle"]
LEAF = bytes.fromhex(CASE["leaf"])
KEY = note.parse_verifier_key(CASE["key"])
GOOD = proof.parse_tlog_proof(CASE["proof"])
ERRORS = {
    error.__name__: error
    for error in (BadSignature, MalformedCheckpoint, MalformedNote, MalformedProof, ProofInvalid, WrongOrigin)
}


@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED)
def test_proof_files_of_the_go_libraries_are_read_written_and_verified(case: dict[str, Any]) -> None:
    read = proof.parse_tlog_proof(case["proof"].encode())
    assert proof.parse_tlog_proof(case["proof"]) == read
    assert read.data.decode() == case["proof"]
    assert (read.index, read.extra.hex()) == (case["index"], case["extra"])
    key = note.parse_verifier_key(case["key"])
    signed = proof.verify_tlog_proof(
        read, bytes.fromhex(case["leaf"]), origin=case["origin"], public_keys=[key.public_key]
    )
    assert signed.checkpoint.size == case["size"]
    assert signed.note == read.checkpoint


@pytest.mark.parametrize(
    ("data", "error"), [case[1:] for case in mutations.proofs()], ids=[case[0] for case in mutations.proofs()]
)
def test_a_proof_file_that_is_wrong_is_refused_as_what_it_is(data: str | bytes, error: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        proof.verify_tlog_proof(proof.parse_tlog_proof(data), LEAF, origin=CASE["origin"], public_keys=[KEY.public_key])
    assert caught.type is ERRORS[error]


@pytest.mark.parametrize("leaf", [b"", LEAF[:-1], LEAF + b"\0", bytes(32), LEAF.hex().encode()])
def test_other_data_is_not_in_the_log(leaf: bytes) -> None:
    with pytest.raises(ProofInvalid):
        proof.verify_tlog_proof(GOOD, leaf, origin=CASE["origin"], public_keys=[KEY.public_key])


def test_an_inner_node_does_not_pass_for_a_leaf() -> None:
    """Leaves and nodes are hashed apart (RFC 6962 §2.1): two children end to end are no leaf."""
    shorter = TlogProof(GOOD.index >> 1, GOOD.hashes[1:], GOOD.checkpoint)
    with pytest.raises(ProofInvalid):
        proof.verify_tlog_proof(shorter, GOOD.hashes[0] + LEAF, origin=CASE["origin"], public_keys=[KEY.public_key])


def test_another_key_and_another_origin_are_refused() -> None:
    with pytest.raises(NotSigned):
        proof.verify_tlog_proof(GOOD, LEAF, origin=CASE["origin"], public_keys=[bytes(32)])
    with pytest.raises(WrongOrigin):
        proof.verify_tlog_proof(GOOD, LEAF, origin="indelible/globex", public_keys=[KEY.public_key])


def test_extra_data_is_nobodys_word() -> None:
    forged = TlogProof(GOOD.index, GOOD.hashes, GOOD.checkpoint, b"\x00 anything \xff")
    read = proof.parse_tlog_proof(forged.data)
    assert read == forged
    assert forged.data.decode().split("\n")[1] == f"extra {base64.b64encode(forged.extra).decode()}"
    proof.verify_tlog_proof(read, LEAF, origin=CASE["origin"], public_keys=[KEY.public_key])


@pytest.mark.parametrize(
    ("index", "hashes", "extra"),
    [
        (-1, (), b""),
        (2**63 - 1, (), b""),
        (0, (bytes(31),), b""),
        (0, (bytes(33),), b""),
        (0, (bytes(32),) * 64, b""),
        (0, (), bytes(65_537)),
    ],
)
def test_what_would_not_be_read_back_is_not_made(index: int, hashes: tuple[bytes, ...], extra: bytes) -> None:
    with pytest.raises(MalformedProof):
        TlogProof(index, hashes, GOOD.checkpoint, extra)


@pytest.mark.parametrize("size", [proof.MAX_PROOF_BYTES + 1, proof.MAX_PROOF_BYTES * 3])
@pytest.mark.parametrize("character", ["x", "\n", "ö"])
def test_a_file_beyond_all_measure_is_refused(size: int, character: str) -> None:
    with pytest.raises(MalformedProof):
        proof.parse_tlog_proof(CASE["proof"] + character * size)
    with pytest.raises(MalformedProof):
        proof.parse_tlog_proof((CASE["proof"] + character * size).encode())


def test_the_suffix() -> None:
    assert proof.SUFFIX == ".tlog-proof"
