# SPDX-License-Identifier: Apache-2.0
"""The tree against the published answers, against RFC 6962 read literally, and against every small forgery."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from indelible.domain import merkle
from indelible.domain.merkle import ProofInvalid, Subtree
from tests.unit.domain import merkle_reference as reference

VECTORS = Path(__file__).parents[2] / "vectors/merkle"
CT: dict[str, Any] = json.loads((VECTORS / "rfc6962-eight-leaves.json").read_text())
SUMDB: dict[str, Any] = json.loads((VECTORS / "sumdb-tlog.json").read_text())
CT_LEAVES = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in CT["leaves"]]
HASHES = [merkle.leaf_hash(leaf) for leaf in reference.LEAVES]
OTHER = merkle.leaf_hash(b"in no tree")
EXHAUSTIVE = 64


def reader(hashes: list[bytes]) -> merkle.NodeReader:
    return cache(lambda height, index: merkle.perfect_root(hashes[index << height : (index + 1) << height]))


def records(count: int) -> list[bytes]:
    return [hashlib.sha256(b"record %d" % number).digest() for number in range(count)]


def root(size: int) -> bytes:
    return reference.mth(0, size)


def refused(check: Callable[..., None], *arguments: Any) -> bool:
    try:
        check(*arguments)
    except ProofInvalid:
        return True
    return False


def flipped(found: bytes) -> bytes:
    return bytes([found[0] ^ 1]) + found[1:]


def damaged(proof: list[bytes]) -> list[list[bytes]]:
    """Every hash changed, left out, doubled; and the proof longer at either end."""
    changed = []
    for place, found in enumerate(proof):
        changed += [[*proof[:place], other, *proof[place + 1 :]] for other in (flipped(found), OTHER)]
        changed += [[*proof[:place], *proof[place + 1 :]], [*proof[:place], found, *proof[place:]]]
    return [*changed, [*proof, OTHER], [OTHER, *proof]]


@pytest.mark.parametrize("size", range(9))
def test_published_roots(size: int) -> None:
    assert merkle.root_of(Subtree(0, leaf) for leaf in CT_LEAVES[:size]).hex() == CT["roots"][size]


@pytest.mark.parametrize("case", CT["inclusion"], ids=lambda case: f"{case['index']}-of-{case['size']}")
def test_published_inclusion_proofs(case: dict[str, Any]) -> None:
    index, size = case["index"], case["size"]
    proof = [bytes.fromhex(found) for found in case["proof"]]
    assert merkle.inclusion_proof(index, size, reader(CT_LEAVES)) == proof
    merkle.verify_inclusion(CT_LEAVES[index], index, size, proof, bytes.fromhex(CT["roots"][size]))


@pytest.mark.parametrize("case", CT["consistency"], ids=lambda case: f"{case['old']}-to-{case['new']}")
def test_published_consistency_proofs(case: dict[str, Any]) -> None:
    old, new = case["old"], case["new"]
    proof = [bytes.fromhex(found) for found in case["proof"]]
    assert merkle.consistency_proof(old, new, reader(CT_LEAVES)) == proof
    old_root, new_root = (bytes.fromhex(CT["roots"][size]) for size in (old, new))
    merkle.verify_consistency(old, new, old_root, new_root, proof)


def test_growing_leaf_by_leaf_gives_every_root() -> None:
    parts: list[Subtree] = []
    for size, leaf in enumerate(HASHES):
        assert merkle.root_of(parts) == root(size)
        assert [1 << part.height for part in parts] == [1 << bit for bit in range(9, -1, -1) if size >> bit & 1]
        parts = merkle.merge([*parts, Subtree(0, leaf)])


def test_every_inclusion_proof_up_to_300_is_the_rfcs_and_its_damage_is_refused() -> None:
    node = reader(HASHES)
    for size in range(1, reference.MOST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, node)
            assert proof == reference.inclusion(index, size)
            merkle.verify_inclusion(HASHES[index], index, size, proof, root(size))
            leaf = HASHES[index]
            for place, found in enumerate(proof):
                forged = [*proof[:place], flipped(found), *proof[place + 1 :]]
                assert refused(merkle.verify_inclusion, leaf, index, size, forged, root(size)), (index, size, place)
            for other in (index ^ 1, index + size):
                assert refused(merkle.verify_inclusion, leaf, other, size, proof, root(size)), (index, size, other)


def test_every_consistency_proof_up_to_300_is_the_rfcs_and_its_damage_is_refused() -> None:
    node = reader(HASHES)
    for new in range(1, reference.MOST + 1):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, node)
            assert proof == reference.consistency(old, new)
            merkle.verify_consistency(old, new, root(old), root(new), proof)
            for place, found in enumerate(proof):
                forged = [*proof[:place], flipped(found), *proof[place + 1 :]]
                assert refused(merkle.verify_consistency, old, new, root(old), root(new), forged), (old, new, place)


def test_small_trees_refuse_every_index_size_root_truncation_and_extension() -> None:
    node = reader(HASHES)
    for size in range(1, EXHAUSTIVE + 1):
        for index in range(size):
            proof, leaf = merkle.inclusion_proof(index, size, node), HASHES[index]
            shape = reference.inclusion_shape(index, size)
            for other in {*range(-1, size + 2)} - {index}:
                assert refused(merkle.verify_inclusion, leaf, other, size, proof, root(size)), (index, size, other)
            for other in range(size * 2 + 2):
                alike = index < other and reference.inclusion_shape(index, other) == shape
                assert refused(merkle.verify_inclusion, leaf, index, other, proof, root(size)) != alike, (size, other)
                if other != size:
                    assert refused(merkle.verify_inclusion, leaf, index, size, proof, root(other)), (size, other)
            for forged in damaged(proof):
                assert refused(merkle.verify_inclusion, leaf, index, size, forged, root(size)), (index, size)
            for other in (OTHER, flipped(leaf), HASHES[index + 1], reference.LEAVES[index]):
                assert refused(merkle.verify_inclusion, other, index, size, proof, root(size)), (index, size)


def test_small_trees_refuse_every_other_old_size_new_size_and_root() -> None:
    node = reader(HASHES)
    for new, old in itertools.product(range(1, EXHAUSTIVE // 2 + 1), repeat=2):
        if old > new:
            continue
        proof, shape = merkle.consistency_proof(old, new, node), reference.consistency_shape(old, new)
        roots = root(old), root(new)
        for other in range(-1, new * 2 + 2):
            alike = 0 < old <= other and (other == new or reference.consistency_shape(old, other) == shape != [])
            assert refused(merkle.verify_consistency, old, other, *roots, proof) != alike, (old, new, other)
            alike = 0 < other <= new and (other == old or reference.consistency_shape(other, new) == shape != [])
            assert refused(merkle.verify_consistency, other, new, *roots, proof) != alike, (old, new, other)
        for other in set(range(new * 2)) - {old, new}:
            assert refused(merkle.verify_consistency, old, new, root(other), root(new), proof), (old, new, other)
            assert refused(merkle.verify_consistency, old, new, root(old), root(other), proof), (old, new, other)
        for forged in damaged(proof):
            assert refused(merkle.verify_consistency, old, new, *roots, forged), (old, new, len(forged))


def test_every_tree_is_consistent_with_the_empty_one_and_with_itself() -> None:
    empty = merkle.EMPTY_ROOT
    for size in (0, 1, 2, 3, 300):
        merkle.verify_consistency(0, size, empty, root(size), [])
        merkle.verify_consistency(size, size, root(size), root(size), [])
        assert refused(merkle.verify_consistency, 0, size, OTHER, root(size), [])
        assert refused(merkle.verify_consistency, 0, size, empty, root(size), [OTHER])
        assert refused(merkle.verify_consistency, size, size, root(size), OTHER, [])
        assert refused(merkle.verify_consistency, size, size, root(size), root(size), [OTHER])
    assert refused(merkle.verify_consistency, 0, 0, empty, OTHER, [])
    assert refused(merkle.verify_consistency, 0, 0, OTHER, OTHER, [])
    assert refused(merkle.verify_consistency, 2, 1, root(2), root(1), [])


def test_bytes_moved_between_neighbouring_hashes_are_refused() -> None:
    proof = reference.consistency(3, 7)
    first, second = proof[0], proof[1]
    assert reference.consistency_shape(3, 7)[:2] == ["start", "right"]
    for cut in (1, 31):
        moved = [first + second[:cut], second[cut:], *proof[2:]]
        with pytest.raises(ProofInvalid, match="32 bytes"):
            merkle.verify_consistency(3, 7, root(3), root(7), moved)
    leaf, sibling, *rest = HASHES[0], *reference.inclusion(0, 7)
    assert refused(merkle.verify_inclusion, leaf + sibling[:1], 0, 7, [sibling[1:], *rest], root(7))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 1), (1, 1), (5, 4)])
def test_no_proof_for_what_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        merkle.inclusion_proof(index, size, reader(HASHES))


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 5), (-1, 5), (6, 5)])
def test_no_consistency_proof_between_sizes_out_of_order(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="consistency proof"):
        merkle.consistency_proof(old, new, reader(HASHES))


@pytest.mark.parametrize("count", [0, 3, 255])
def test_a_perfect_subtree_has_a_power_of_two_of_leaves(count: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        merkle.perfect_root(HASHES[:count])


def test_roots_of_the_go_checksum_databases_tree() -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in records(1_100)]
    for size, expected in SUMDB["roots"].items():
        assert merkle.root_of(Subtree(0, found) for found in hashes[: int(size)]).hex() == expected


@pytest.mark.parametrize("case", SUMDB["inclusion"], ids=lambda case: f"{case['index']}-of-{case['size']}")
def test_inclusion_proofs_of_the_go_checksum_databases_tree(case: dict[str, Any]) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in records(case["size"])]
    proof = merkle.inclusion_proof(case["index"], case["size"], reader(hashes))
    assert [found.hex() for found in proof] == case["proof"]
    expected = bytes.fromhex(case["root"])
    merkle.verify_inclusion(hashes[case["index"]], case["index"], case["size"], proof, expected)


@pytest.mark.parametrize("case", SUMDB["consistency"], ids=lambda case: f"{case['old']}-to-{case['new']}")
def test_consistency_proofs_of_the_go_checksum_databases_tree(case: dict[str, Any]) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in records(case["new"])]
    proof = merkle.consistency_proof(case["old"], case["new"], reader(hashes))
    assert [found.hex() for found in proof] == case["proof"]
    roots = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
    merkle.verify_consistency(case["old"], case["new"], *roots, proof)


def test_pymerkle_agrees_on_roots_and_inclusion_proofs() -> None:
    """It counts from 1 and starts a proof with the leaf. Its consistency proofs are of another form than the RFC's."""
    other, node = pymerkle.InmemoryTree(algorithm="sha256"), reader(HASHES)
    for new in range(1, EXHAUSTIVE + 1):
        other.append_entry(reference.LEAVES[new - 1])
        assert other.get_root() == root(new) == merkle.root_of(Subtree(0, leaf) for leaf in HASHES[:new])
        for index in range(new):
            path = [found.hex() for found in merkle.inclusion_proof(index, new, node)]
            assert other.prove_inclusion(index + 1, new).serialize()["path"] == [HASHES[index].hex(), *path]
