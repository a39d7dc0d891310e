# SPDX-License-Identifier: Apache-2.0
"""The log's files: the names of tlog-tiles, the same bytes however the tree grew, and nothing ever written twice."""

from __future__ import annotations

import hashlib
import json
import math
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from indelible.domain import merkle, tiles
from indelible.domain.merkle import ProofInvalid, Subtree
from tests.fakes.log_paths import all_paths

SUMDB: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/merkle/sumdb-tlog.json").read_text())
BIG = 70_000
"""The size of the worked example in tlog-tiles: three levels, a partial tile on each of them."""
INTERESTING = [0, 1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, BIG]


@cache
def leaf(number: int) -> bytes:
    return hashlib.sha256(b"record %d" % number).digest()


def leaves(low: int, high: int) -> list[bytes]:
    return [leaf(number) for number in range(low, high)]


@cache
def root(size: int) -> bytes:
    return merkle.root_of(Subtree(0, merkle.leaf_hash(data)) for data in leaves(0, size))


class Files(dict[str, bytes]):
    """Storage on which a written file never changes."""

    def keep(self, files: list[tiles.File]) -> None:
        for file in files:
            assert self.setdefault(file.path, file.data) == file.data, f"{file.path} was written with other bytes"


def grown(sizes: list[int]) -> tuple[tiles.Edge, Files]:
    edge, files = tiles.EMPTY, Files()
    for size in sizes:
        edge, made = tiles.grow(edge, leaves(edge.size, size))
        assert len({file.path for file in made}) == len(made)
        files.keep(made)
    return edge, files


@cache
def at_once(size: int) -> tuple[tiles.Edge, Files]:
    return grown([size])


@pytest.mark.parametrize(
    ("index", "path"),
    [
        (0, "000"),
        (67, "067"),
        (999, "999"),
        (1_000, "x001/000"),
        (999_999, "x999/999"),
        (1_000_000, "x001/x000/000"),
        (1_234_067, "x001/x234/067"),  # the example of tlog-tiles
    ],
)
def test_paths_are_as_tlog_tiles_says(index: int, path: str) -> None:
    assert tiles.tile_path(0, index) == f"tile/0/{path}"
    assert tiles.tile_path(63, index, 255) == f"tile/63/{path}.p/255"
    assert tiles.entries_path(index) == f"tile/entries/{path}"
    assert tiles.entries_path(index, 1) == f"tile/entries/{path}.p/1"


@pytest.mark.parametrize("path", SUMDB["paths"])
def test_paths_are_those_of_the_go_checksum_database(path: str) -> None:
    assert tiles.tile_path(*SUMDB["paths"][path]) == path


def test_tiles_are_those_of_the_go_checksum_database() -> None:
    edge, files = at_once(SUMDB["tree"]["size"])
    assert edge.root().hex() == SUMDB["tree"]["root"]
    for path, digest in SUMDB["tree"]["sha256_of_tiles"].items():
        assert hashlib.sha256(files[path]).hexdigest() == digest, path


def test_a_tree_of_70000_is_represented_as_tlog_tiles_says() -> None:
    _, files = at_once(BIG)
    level_0 = [f"tile/0/{index:03d}" for index in range(273)]
    bundles = [f"tile/entries/{index:03d}" for index in range(273)]
    upper = ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    expected = [*level_0, "tile/0/273.p/112", *bundles, "tile/entries/273.p/112", *upper]
    assert sorted(files) == sorted(expected) == sorted(all_paths(BIG))
    assert {len(data) for path, data in files.items() if ".p/" not in path} == {256 * 32, 256 * 34}
    assert files["tile/0/273.p/112"] == b"".join(merkle.leaf_hash(leaf(n)) for n in range(273 * 256, BIG))
    assert files["tile/1/001.p/17"][:32] == merkle.perfect_root(
        [merkle.leaf_hash(data) for data in leaves(65_536, 65_792)]
    )
    assert files["tile/2/000.p/1"] == root(65_536)
    assert files["tile/entries/000"][:34] == b"\x00\x20" + leaf(0)


@pytest.mark.parametrize("size", INTERESTING)
def test_the_files_of_a_size_are_those_that_a_reader_wants(size: int) -> None:
    edge, files = at_once(size)
    assert sorted(files) == sorted(all_paths(size))
    assert edge.size == size
    assert edge.root() == root(size)


@pytest.mark.parametrize("size", INTERESTING)
def test_the_right_edge_is_read_back(size: int) -> None:
    edge, files = at_once(size)
    assert tiles.read_edge(size, files.__getitem__) == edge


@pytest.mark.parametrize("seed", range(6))
def test_however_the_tree_grew_the_files_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    sizes, size, final = [], 0, chance.choice([1_000, 3_000, 66_000])
    while size < final:
        size = min(final, size + chance.choice([1, 2, 100, 255, 256, 257, 700, 20_000]))
        sizes.append(size)
    edge, files = grown(sizes)
    once, wanted = at_once(final)
    assert edge == once
    assert {path: files[path] for path in wanted} == wanted
    for size in chance.sample(sizes, min(5, len(sizes))):  # and every checkpoint on the way is still served in full
        assert set(all_paths(size)) <= set(files)
        assert tiles.read_edge(size, files.__getitem__).root() == root(size)


def test_leaf_by_leaf_over_the_first_full_tiles() -> None:
    edge, files = grown(list(range(1, 515)))
    assert edge == at_once(514)[0]
    assert {path for path in files if ".p/" not in path} == {
        *(f"tile/{kind}/00{index}" for kind in ("0", "entries") for index in (0, 1))
    }
    assert files["tile/1/000.p/1"] == root(256)


def test_nothing_added_is_nothing_written() -> None:
    edge, _ = at_once(300)
    assert tiles.grow(edge, []) == (edge, [])


@pytest.mark.parametrize("old", [0, 1, 255, 256, 65_000, 65_535, 65_536, 69_999])
@pytest.mark.parametrize("added", [1, 255, 256, 257, 1_000])
def test_growing_reads_the_edge_only_and_writes_few_files(old: int, added: int) -> None:
    edge, files = at_once(old)
    read: list[str] = []

    def reading(path: str) -> bytes:
        read.append(path)
        return files[path]

    levels = math.ceil(math.log(max(2, old + added), 256)) + 1
    _, made = tiles.grow(tiles.read_edge(old, reading), leaves(old, old + added))
    assert edge.size == old
    assert len(read) <= levels
    assert len(made) <= 2 * (added // 256 + 2) + sum(added // 256**level + 2 for level in range(2, levels + 1))


def test_a_million_leaves_cost_no_more_than_a_thousand_to_go_on_from() -> None:
    def edge(size: int) -> tiles.Edge:
        def made_up(path: str) -> bytes:
            width = int(path.rpartition("/")[2])
            return tiles.bundle([leaf(0)] * width) if "entries" in path else leaf(1) * width

        return tiles.read_edge(size, made_up)

    sizes = (1_100, 100_100, 1_000_100, 10**9 + 100)
    counts = [len(tiles.grow(edge(size), leaves(0, 1_000))[1]) for size in sizes]
    assert max(counts) - min(counts) <= 2
    assert max(counts) <= 14


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600, BIG])
def test_proofs_from_tiles_verify(size: int) -> None:
    edge, files = at_once(size)
    node = tiles.node_reader(size, files.__getitem__)
    chance = random.Random(size)
    for index in {0, size - 1, size // 2, *(chance.randrange(size) for _ in range(30))}:
        proof = merkle.inclusion_proof(index, size, node)
        merkle.verify_inclusion(merkle.leaf_hash(leaf(index)), index, size, proof, edge.root())
    for old in {1, size, size // 2 or 1, *(chance.randint(1, size) for _ in range(5))}:
        proof = merkle.consistency_proof(old, size, node)
        merkle.verify_consistency(old, size, root(old), edge.root(), proof)


def test_proofs_of_many_leaves_work_out_each_subtree_once() -> None:
    files, asked = at_once(600)[1], list[str]()
    node = tiles.node_reader(600, lambda path: asked.append(path) or files[path])  # type: ignore[func-returns-value]

    for index in range(600):
        merkle.inclusion_proof(index, 600, node)

    assert len(asked) < 2 * 600, "a tree of 600 leaves has fewer perfect subtrees than that"


@pytest.mark.parametrize(("height", "index"), [(0, 600), (1, 300), (8, 2), (9, 1), (10, 0), (0, -1)])
def test_a_subtree_that_is_not_wholly_in_the_tree_is_refused(height: int, index: int) -> None:
    node = tiles.node_reader(600, at_once(600)[1].__getitem__)
    with pytest.raises(ValueError, match="not in the tree"):
        node(height, index)


@pytest.mark.parametrize("damage", ["flipped", "swapped"])
@pytest.mark.parametrize("path", ["tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"])
def test_a_proof_from_a_corrupted_tile_does_not_verify(path: str, damage: str) -> None:
    _, files = at_once(600)
    data = files[path]
    bad = bytes([data[0] ^ 1]) + data[1:] if damage == "flipped" else data[32:64] + data[:32] + data[64:]
    node = tiles.node_reader(600, {**files, path: bad}.__getitem__)
    refusals = 0
    for index in (0, 300, 520, 599):
        try:
            merkle.verify_inclusion(
                merkle.leaf_hash(leaf(index)), index, 600, merkle.inclusion_proof(index, 600, node), root(600)
            )
        except ProofInvalid:
            refusals += 1
    assert refusals > 0


@pytest.mark.parametrize("path", ["tile/entries/002.p/88", "tile/1/000.p/2"])
def test_an_edge_from_a_corrupted_file_has_another_root(path: str) -> None:
    edge, files = at_once(600)
    data = files[path]
    bad = {**files, path: data[:-1] + bytes([data[-1] ^ 1])}
    assert tiles.read_edge(600, bad.__getitem__).root() != edge.root()


@pytest.mark.parametrize("path", ["tile/entries/002.p/88", "tile/1/000.p/2"])
@pytest.mark.parametrize("damage", ["empty", "byte-cut", "byte-added", "entry-cut", "entry-added"])
def test_an_edge_from_a_file_of_the_wrong_length_is_refused(path: str, damage: str) -> None:
    _, files = at_once(600)
    data, step = files[path], 34 if "entries" in path else 32
    bad = {
        "empty": b"",
        "byte-cut": data[:-1],
        "byte-added": data + b"\x00",
        "entry-cut": data[:-step],
        "entry-added": data + data[:step],
    }[damage]
    with pytest.raises(ValueError, match=r"does not have|consists of|has entries"):
        tiles.read_edge(600, {**files, path: bad}.__getitem__)


def test_a_tile_of_the_wrong_width_is_refused() -> None:
    _, files = at_once(600)
    node = tiles.node_reader(600, {**files, "tile/0/001": files["tile/0/001"][32:]}.__getitem__)
    with pytest.raises(ValueError, match="256 hashes"):
        node(0, 300)


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x1f" + bytes(31), b"\x00\x21" + bytes(33), b"\x20\x00" + bytes(32)])
def test_a_bundle_with_anything_but_32_bytes_in_an_entry_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tiles.unbundle(data)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_leaf_of_another_length_is_not_written(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tiles.grow(tiles.EMPTY, [leaf(0), bytes(size)])


def test_bundles_round_trip() -> None:
    assert tiles.unbundle(tiles.bundle(leaves(0, 256))) == leaves(0, 256)
    assert tiles.unbundle(b"") == []
