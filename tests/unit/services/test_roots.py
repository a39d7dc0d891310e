# SPDX-License-Identifier: Apache-2.0
"""Verify holds what it reads against every signed root, wherever it begins, and a signature against the table."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from indelible.domain.checkpoint import Checkpoint, signed_checkpoint
from indelible.domain.record import EMPTY_CHAIN
from indelible.services import roots
from indelible.services.log import checkpoint_path
from indelible.services.ranges import Range
from indelible.services.verify import Verdict
from tests.fakes.chains import ORG, build_chain
from tests.fakes.log import FakeSigner
from tests.fakes.world import World

SIZES = [1, 3, 255, 256, 257, 300, 511, 512, 513, 515]
LAST = 518  # no root covers the last three


def world_of(*sizes: int, last: int = 0) -> World:
    """Records up to `last`, with a checkpoint at each size."""
    world = World()
    for old, new in zip([0, *sizes], [*sizes, max(last, *sizes)], strict=True):
        for start in range(old, new, 90):
            world.record(*range(start + 1, min(start + 90, new) + 1))
        if new in sizes:
            assert world.anchored().tree_size == new
    return world


def key(path: str) -> str:
    return f"{ORG}/_log/{path}"


def found(verdict: Verdict) -> list[tuple[str, int | None]]:
    return [(failure.code.value, failure.sequence) for failure in verdict.failures]


def flip(data: bytes, position: int = -1) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position:][1:]


def damage(world: World, path: str, change: Callable[[bytes], bytes] = flip) -> None:
    world.administrator.rewrite(key(path), change(world.bucket.versions(key(path))[0].data))


@pytest.fixture(scope="module")
def large() -> World:
    return world_of(*SIZES, last=LAST)


STARTS = [1, 2, 3, 4, 254, 255, 256, 257, 258, 259, 299, 300, 301, 302, 511, 512, 513, 514, 515, 516, 518]


@pytest.mark.parametrize("start", STARTS)
def test_a_true_chain_leads_to_every_root_from_everywhere(large: World, start: int) -> None:
    for end in sorted({start, start + 1, 3, 255, 256, 257, 258, 299, 300, 301, 512, 515, 516, 518}):
        if not start <= end <= LAST:
            continue
        verdict = large.verify(Range(start_seq=start, end_seq=end))

        assert (verdict.valid, found(verdict)) == (True, []), f"{start} to {end}"
        # Held against the root at the end itself, or against the next one, or where there is none yet the one before.
        expected = next((size for size in SIZES if size >= end), SIZES[-1] if start <= SIZES[-1] else None)
        assert (verdict.checkpoint.size if verdict.checkpoint else None) == expected, f"{start} to {end}"


def test_without_a_checkpoint_there_is_nothing_to_hold_it_against() -> None:
    world = World()
    world.record(1, 2)

    verdict = world.verify()

    assert (verdict.valid, verdict.checkpoint) == (True, None)


@pytest.mark.parametrize(
    ("end", "reported"), [(2, []), (3, [("CHECKPOINT_MISMATCH", 5)]), (4, [("CHECKPOINT_MISMATCH", 5)])]
)
def test_files_behind_the_first_checkpoint_after_a_range_are_not_its_own(
    end: int, reported: list[tuple[str, int]]
) -> None:
    world = world_of(3, 5, 6)
    damage(world, checkpoint_path(5))

    assert found(world.verify(Range(end_seq=end))) == reported


@pytest.mark.parametrize(("most", "reported"), [(3, [("CHECKPOINT_MISMATCH", 6)]), (4, [])])
def test_leaves_without_end_are_not_followed(
    monkeypatch: pytest.MonkeyPatch, most: int, reported: list[tuple[str, int]]
) -> None:
    """Directories that are links to themselves have a tree of any size, and without a pinned key anybody signs it."""
    monkeypatch.setattr(roots, "_MOST_LEAVES", most)

    assert found(world_of(6).verify(Range(end_seq=2))) == reported


def test_what_takes_several_requests_is_held_against_the_same_roots(large: World) -> None:
    start, seen = 1, set()
    for _ in range(LAST):
        verdict = large.verifier().verify(ORG, Range(start_seq=start), deadline_ms=large.clock.now)
        assert found(verdict) == []
        seen.add(verdict.checkpoint.size if verdict.checkpoint else None)
        if verdict.complete:
            break
        assert verdict.next_seq is not None
        start = verdict.next_seq

    assert set(SIZES) <= seen


@pytest.mark.parametrize("changed", [1, 2, 3, 4, 254, 255, 256, 257, 258, 300])
def test_a_history_rewritten_with_every_hash_right_is_not_the_one_that_was_signed(changed: int) -> None:
    """The bucket as somebody without any lock would leave it: a chain that is whole in itself."""
    world = world_of(*(size for size in SIZES if size <= 300))
    true = world.sealed()
    head = true[changed - 2].head if changed > 1 else EMPTY_CHAIN
    forged = build_chain(300 - changed + 1, head=head, start_ms=world.clock.now, step_ms=0, seed=99)
    for entry in true[changed - 1 :]:
        world.administrator.remove(entry.s3_key)
    for entry in forged:
        world.administrator.insert_record(entry)
    world.administrator.set_head(ORG, forged[-1].head)

    for start in {1, max(1, changed - 1), changed}:
        verdict = world.verify(Range(start_seq=start))
        first = next(size for size in SIZES if size >= changed)
        # Also the last record is not the leaf that the latest checkpoint promises.
        assert (
            found(verdict) == [("CHECKPOINT_MISMATCH", first), ("CONTENT_MISMATCH", 300)][:: 1 if first < 300 else -1]
        )


@pytest.mark.parametrize("changed", [2, 4, 256, 257, 299])
@pytest.mark.parametrize("fresh", [False, True], ids=["rot", "rewritten"])
def test_a_changed_record_is_found_by_its_checkpoint_too(changed: int, fresh: bool) -> None:
    world = world_of(3, 255, 256, 300)
    name = world.administrator.key_of(ORG, changed)
    data = world.bucket.versions(name)[0].data.replace(b"AGENT", b"AGENS")
    (world.administrator.rewrite if fresh else world.administrator.rot)(name, data)

    verdict = world.verify()

    at = next(size for size in (3, 255, 256, 300) if size >= changed)
    expected = {("BROKEN_LINK", changed + 1), ("CHECKPOINT_MISMATCH", at)}
    assert set(found(verdict)) == expected | (set() if fresh else {("CONTENT_MISMATCH", changed)})


@pytest.mark.parametrize(
    ("path", "start"),
    [
        ("tile/1/000.p/1", 258),  # 257 is within 300: the first 256 by their root
        ("tile/entries/001.p/44", 258),  # the leaf 257
        ("tile/entries/000.p/7", 5),
    ],
)
def test_a_false_tile_before_the_range_fails_at_the_next_root(path: str, start: int) -> None:
    world = world_of(7, 300)
    assert world.verify(Range(start_seq=start)).valid is True
    damage(world, path, lambda data: flip(data, 31))

    failures = found(world.verify(Range(start_seq=start)))

    assert failures == [("CHECKPOINT_MISMATCH", 7 if start == 5 else 300)]


def test_a_tile_of_the_wrong_width_is_a_mismatch() -> None:
    world = world_of(7, 300)
    damage(world, "tile/1/000.p/1", lambda data: data + data)

    assert found(world.verify(Range(start_seq=258))) == [("CHECKPOINT_MISMATCH", 300)]


@pytest.mark.parametrize("path", ["tile/entries/000.p/7", "tile/0/000.p/7"])
def test_a_missing_tile_is_a_mismatch(path: str) -> None:
    world = world_of(7)
    world.record(8)
    world.administrator.remove(key(path))

    assert ("CHECKPOINT_MISMATCH", 7) in found(world.verify(Range(start_seq=5)))


def test_a_false_leaf_in_a_bundle_accuses_the_log_and_not_the_record() -> None:
    world = world_of(7)
    damage(world, "tile/entries/000.p/7")

    assert found(world.verify()) == [("CHECKPOINT_MISMATCH", 7)]


def resigned(size: int, root: bytes, *, origin: str = f"indelible/{ORG}", seed: int = 7) -> bytes:
    signer = FakeSigner(seed=seed)
    unsigned = Checkpoint(origin, size, root)
    return signed_checkpoint(unsigned, signer.public_key(), signer.sign(unsigned.text.encode())).note.data


def other_signature(note: bytes) -> bytes:
    """The right key's name over another text: as if a root had been exchanged in the file."""
    text, lines = note.split(b"\n\n")
    origin, size, root = text.split(b"\n")
    return b"\n".join([origin, size, re.sub(rb"^.", b"B" if root[:1] == b"A" else b"A", root)]) + b"\n\n" + lines


FORGERIES: dict[str, tuple[Callable[[bytes, bytes], bytes], str]] = {
    "another root in the text": (lambda note, _: other_signature(note), "BAD_SIGNATURE"),
    "signed by another key": (lambda _, root: resigned(7, root, seed=8), "BAD_SIGNATURE"),
    "another root, signed": (lambda _, root: resigned(7, flip(root)), "CHECKPOINT_MISMATCH"),
    "another origin, signed": (lambda _, root: resigned(7, root, origin="indelible/globex"), "CHECKPOINT_MISMATCH"),
    "another size, signed": (lambda _, root: resigned(8, root), "CHECKPOINT_MISMATCH"),
    "no note": (lambda _, __: b"rubbish", "CHECKPOINT_MISMATCH"),
    "nothing": (lambda _, __: b"", "CHECKPOINT_MISMATCH"),
    "not even text": (lambda _, __: b"\xff\xfe", "CHECKPOINT_MISMATCH"),
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("start", [1, 5])
def test_a_forged_checkpoint_is_named_once(name: str, start: int) -> None:
    forge, code = FORGERIES[name]
    world = world_of(3, 7, 12)
    root = world.log().opened(ORG, 7).checkpoint.root
    damage(world, checkpoint_path(7), lambda note: forge(note, root))

    verdict = world.verify(Range(start_seq=start))

    assert found(verdict) == [(code, 7)]
    if code == "BAD_SIGNATURE":
        assert verdict.checkpoint is not None
        assert verdict.checkpoint.size == 12, "one bad file does not keep the next from being looked at"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_latest_checkpoint_is_named(name: str) -> None:
    forge, code = FORGERIES[name]
    world = world_of(3, 7)
    root = world.log().opened(ORG, 7).checkpoint.root
    world.administrator.lay_newer_version(
        key("checkpoint"), forge(world.bucket.versions(key("checkpoint"))[-1].data, root)
    )

    assert [found_code for found_code, _ in found(world.verify())] == [code]


def test_a_missing_checkpoint_file_is_noticed_by_the_latest() -> None:
    world = world_of(3, 7)
    world.administrator.remove(key(checkpoint_path(7)))

    assert found(world.verify()) == [("CHECKPOINT_MISMATCH", 7)]


def test_a_hidden_checkpoint_is_still_there() -> None:
    world = world_of(3, 7)
    for path in (checkpoint_path(3), checkpoint_path(7), "checkpoint", "tile/entries/000.p/7"):
        world.administrator.lay_delete_marker(key(path))

    verdict = world.verify()

    assert (verdict.valid, verdict.checkpoint and verdict.checkpoint.size) == (True, 7)


def test_two_signed_roots_for_one_size_are_named() -> None:
    world = world_of(3, 7)
    root = world.log().opened(ORG, 7).checkpoint.root
    world.administrator.lay_newer_version(key("checkpoint"), resigned(7, flip(root)))

    assert found(world.verify()) == [("CHECKPOINT_MISMATCH", 7)]
