# SPDX-License-Identifier: Apache-2.0
"""The signed log in static files: its edge, its proofs, its tiles, and what growing costs."""

from __future__ import annotations

import math
from hashlib import sha256
from itertools import combinations, pairwise

import pytest

from indelible.domain import merkle, tiles
from indelible.domain.keyring import KeyRing
from indelible.domain.note import NoteError
from indelible.domain.proof import parse_tlog_proof
from indelible.domain.record import Retention
from indelible.errors import EvidenceBroken
from indelible.services.log import LEDGER, checkpoint_path
from indelible.services.signed_log import SignedLog
from tests.fakes.administrator import Administrator
from tests.fakes.bucket import Bucket
from tests.fakes.log import LEDGER_NAME, FakeLogFiles, FakeSigner
from tests.fakes.log_paths import all_paths
from tests.fakes.machine import ManualClock
from tests.fakes.rfc6962 import root_of_leaves

ORG = "acme"
SIZES = [1, 2, 3, 255, 256, 257, 300, 511, 512, 513, 700]
LEAVES = [sha256(b"%d" % number).digest() for number in range(70_000)]


class Grown:
    """A log that has a checkpoint at each of these sizes, without any records below it."""

    def __init__(self, *sizes: int, owner: str = ORG) -> None:
        self.bucket = Bucket()
        self.files = FakeLogFiles(self.bucket)
        self.signer = FakeSigner()
        self.administrator = Administrator(self.bucket)
        self.owner = owner
        self.log = SignedLog(
            files=self.files,
            ledger_name=LEDGER_NAME,
            keys=lambda: KeyRing.of_one(LEDGER_NAME, self.signer.public_key()),
            signer=lambda _: self.signer,
            retention=Retention("COMPLIANCE", 2555),
            clock=ManualClock(),
        )
        self.size = 0
        for size in sizes:
            self.grow(size)

    def grow(self, size: int) -> None:
        """As a new process does it: from what the bucket holds."""
        edge = self.log.edge(self.owner, self.size)
        grown, staged = tiles.grow(edge, LEAVES[self.size : size])
        self.log.stage(self.owner, staged, at_least_until_ms=0)
        self.log.publish(self.owner, grown, at_least_until_ms=0)
        self.size = size

    def key(self, path: str) -> str:
        return f"{self.owner}/_log/{path}"

    def damage(self, path: str, position: int = -1) -> None:
        data = bytearray(self.bucket.versions(self.key(path))[0].data)
        data[position] ^= 1
        self.administrator.rewrite(self.key(path), bytes(data))


@pytest.fixture(scope="module")
def grown() -> Grown:
    return Grown(*SIZES)


def test_every_checkpoint_is_of_the_tree_over_the_leaves(grown: Grown) -> None:
    assert list(grown.log.sizes(ORG, at_least=1)) == SIZES
    for size in SIZES:
        opened = grown.log.opened(ORG, size).checkpoint
        assert (opened.origin, opened.size, opened.root) == ("indelible/acme", size, root_of_leaves(LEAVES[:size]))
    latest = grown.log.latest(ORG)
    assert latest is not None
    assert latest.size == SIZES[-1]


def test_an_origin_belongs_to_one_log() -> None:
    assert Grown(3, owner=LEDGER).log.opened(LEDGER, 3).checkpoint.origin == "indelible"
    assert Grown().log.origin("acme") == "indelible/acme"


@pytest.mark.parametrize(("old", "new"), [*combinations(SIZES, 2), *((size, size) for size in SIZES)])
def test_between_any_two_checkpoints_there_is_a_consistency_proof(grown: Grown, old: int, new: int) -> None:
    roots = [grown.log.opened(ORG, size).checkpoint.root for size in (old, new)]
    proof = grown.log.consistency(ORG, old, new)

    merkle.verify_consistency(old, new, roots[0], roots[1], proof)
    for number in range(len(proof)):
        false = [*proof[:number], sha256(proof[number]).digest(), *proof[number + 1 :]]
        with pytest.raises(merkle.ProofInvalid):
            merkle.verify_consistency(old, new, roots[0], roots[1], false)


@pytest.mark.parametrize("index", [0, 1, 2, 3, 254, 255, 256, 257, 299, 300, 510, 511, 512, 513, 699])
def test_a_leaf_is_proven_in_the_first_checkpoint_that_covers_it(grown: Grown, index: int) -> None:
    proof = grown.log.proof(ORG, index)

    assert proof is not None
    checkpoint = grown.log.verify(ORG, proof, LEAVES[index])
    assert checkpoint.size == next(size for size in SIZES if size > index)
    assert parse_tlog_proof(proof.data) == proof
    with pytest.raises(EvidenceBroken):
        grown.log.verify(ORG, proof, LEAVES[index + 1])
    with pytest.raises(EvidenceBroken):
        grown.log.verify("globex", proof, LEAVES[index])


def test_what_is_not_covered_has_no_proof(grown: Grown) -> None:
    assert grown.log.proof(ORG, SIZES[-1]) is None
    assert grown.log.proof("globex", 0) is None


@pytest.mark.parametrize("path", ["tile/0/000.p/7", "tile/0/000"])
def test_a_proof_from_a_false_tile_is_never_believed(path: str) -> None:
    """The tile is read as it is; what it leads to is held against the signed root before anybody gets it."""
    sizes, index = ((7,), 3) if path.endswith("7") else ((300,), 10)
    honest = Grown(*sizes).log.proof(ORG, index)
    for position in range(0, 7 * 32, 32):
        false = Grown(*sizes)
        false.damage(path, position)
        try:
            proof = false.log.proof(ORG, index)
            assert proof is not None
            false.log.verify(ORG, proof, LEAVES[index])
        except EvidenceBroken:
            continue
        assert proof == honest, "only where the damage is not on the way"
        assert position // 32 == index, "its own leaf is not in a leaf's proof"


@pytest.mark.parametrize("path", ["tile/0/000.p/7", checkpoint_path(7)])
@pytest.mark.parametrize("what", ["gone", "empty", "longer", "not notes"])
def test_a_log_that_cannot_be_read_is_broken_evidence(path: str, what: str) -> None:
    log = Grown(7)
    key = log.key(path)
    data = log.bucket.versions(key)[0].data
    if what == "gone":
        log.administrator.remove(key)
    else:
        log.administrator.rewrite(key, {"empty": b"", "longer": data + bytes(32), "not notes": b"\xff" * 33}[what])
    if (path, what) == (checkpoint_path(7), "gone"):
        assert log.log.proof(ORG, 3) is None
        return
    with pytest.raises(EvidenceBroken):
        log.log.proof(ORG, 3)


def test_a_checkpoint_under_another_s_name_is_not_opened() -> None:
    log = Grown(3, 7)
    log.administrator.rewrite(log.key(checkpoint_path(7)), log.bucket.versions(log.key(checkpoint_path(3)))[0].data)

    with pytest.raises(NoteError):
        log.log.opened(ORG, 7)
    with pytest.raises(EvidenceBroken):
        log.log.opened(ORG, 8)


@pytest.mark.parametrize("size", SIZES)
def test_the_edge_is_what_was_signed(grown: Grown, size: int) -> None:
    edge = grown.log.edge(ORG, size)

    assert (edge.size, edge.root()) == (size, root_of_leaves(LEAVES[:size]))
    assert grown.log.edge(ORG, 0) == tiles.EMPTY


@pytest.mark.parametrize(
    ("size", "path"),
    [
        (7, "tile/entries/000.p/7"),
        (300, "tile/entries/001.p/44"),
        (300, "tile/1/000.p/1"),
        (256, "tile/1/000.p/1"),
        (300, checkpoint_path(300)),
    ],
)
@pytest.mark.parametrize("what", ["changed", "gone"])
def test_no_edge_but_the_signed_one(size: int, path: str, what: str) -> None:
    log = Grown(size)
    if what == "changed":
        log.damage(path, 31)
    else:
        log.administrator.remove(log.key(path))

    with pytest.raises(EvidenceBroken):
        log.log.edge(ORG, size)


def test_a_wrong_signature_is_not_published() -> None:
    log = Grown()
    other = FakeSigner(seed=9)
    log.signer.sign = other.sign  # type: ignore[method-assign]

    with pytest.raises(NoteError):
        log.grow(3)

    assert list(log.log.sizes(ORG, at_least=1)) == []
    assert log.log.latest(ORG) is None


# -- files ----------------------------------------------------------------------------------------------


def files_of(size: int, leaves: list[bytes]) -> dict[str, bytes]:
    """Every file of a tree of this size, built at once, by the words of c2sp.org/tlog-tiles."""
    made: dict[str, bytes] = {}

    def name(kind: str, index: int, width: int) -> str:
        assert index < 1000, "longer names: tests/unit/domain/test_tiles.py"
        return f"tile/{kind}/{index:03d}" + ("" if width == 256 else f".p/{width}")

    for index in range(math.ceil(size / 256)):
        part = leaves[index * 256 : min(size, index * 256 + 256)]
        made[name("entries", index, len(part))] = b"".join(b"\x00\x20" + leaf for leaf in part)
    row = [sha256(b"\x00" + leaf).digest() for leaf in leaves[:size]]
    level = 0
    while row:
        for index in range(math.ceil(len(row) / 256)):
            part = row[index * 256 : index * 256 + 256]
            made[name(str(level), index, len(part))] = b"".join(part)
        row = [perfect(row[start : start + 256]) for start in range(0, len(row) // 256 * 256, 256)]
        level += 1
    return made


def perfect(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


@pytest.mark.parametrize(
    "sizes",
    [
        SIZES,
        [700],
        list(range(1, 20)),
        list(range(250, 263)),
        [65_535, 65_536, 65_537, 65_792, 66_000],
        [1, 65_537],
    ],
    ids=str,
)
def test_the_files_are_those_of_a_tree_that_was_built_at_once(sizes: list[int]) -> None:
    log = Grown(*sizes)
    stored = {path: log.bucket.versions(log.key(path))[0].data for path in log.files.written}
    expected: dict[str, bytes] = {}
    for size in sizes:
        expected |= files_of(size, LEAVES)

    assert {path: data for path, data in stored.items() if path.startswith("tile/")} == expected
    assert {path for path in stored if not path.startswith("tile/")} == {checkpoint_path(size) for size in sizes}
    assert len(log.files.written) == len(stored), "each is written once"
    assert set(log.bucket.stacks) == {log.key(path) for path in [*stored, "checkpoint"]}
    for size in sizes:
        assert set(all_paths(size)) == set(files_of(size, LEAVES))


@pytest.mark.parametrize("size", [1, 255, 256, 1000, 65_535, 65_536, 69_000])
@pytest.mark.parametrize("added", [1, 10, 255, 256, 1000])
def test_growing_reads_the_right_edge_and_writes_what_is_new(size: int, added: int) -> None:
    """O(n/256 + log N) objects, whatever lies to the left."""
    log = Grown(size)
    log.files.reads.clear()
    log.files.written.clear()

    log.grow(size + added)

    levels = 1 + math.ceil(math.log(size + added, 256))
    assert log.files.reads.total() <= levels + 1, "one bundle, a partial tile for each level, the checkpoint"
    assert max(log.files.reads.values()) == 1
    assert len(log.files.written) <= 2 * math.ceil(added / 256) + 2 * levels + 1


def test_two_sizes_share_what_is_full() -> None:
    log = Grown(700, 701)
    full = [path for path in log.files.written if ".p/" not in path and path.startswith("tile/")]

    assert sorted(full) == sorted(f"tile/{kind}/{index:03d}" for kind in ("0", "entries") for index in range(2))
    for old, new in pairwise([700, 701]):
        assert log.log.consistency(ORG, old, new)
