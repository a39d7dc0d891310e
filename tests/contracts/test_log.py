# SPDX-License-Identifier: Apache-2.0
"""LogHead and LogFiles: one root for one size, files that are written once, and one that only goes forward."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

import pytest

from indelible.aws.s3_log_files import S3LogFiles
from indelible.domain.ledger import ledger_proof_path
from indelible.domain.record import EMPTY_CHAIN
from indelible.domain.tiles import MAX_FILE_BYTES, File, entries_path, tile_path
from indelible.errors import EvidenceBroken
from indelible.ports import NOTHING_COVERED, LogState
from tests.contracts.conftest import Adapters
from tests.fakes.chains import ORG, build_chain
from tests.fakes.log import FakeLogFiles
from tests.fakes.machine import MIDNIGHT

CHAIN = build_chain(5)
UNTIL = MIDNIGHT + 2555 * 86_400_000
TILE = File(tile_path(0, 0, 3), bytes(96))


def fixed(size: int, root: str, after: LogState) -> LogState:
    return replace(after, tail=CHAIN[size - 1].head, root=root)


def published(state: LogState) -> LogState:
    return replace(state, published=state.tail)


ONE = fixed(1, "11" * 32, NOTHING_COVERED)
TWO = fixed(2, "22" * 32, published(ONE))


def test_before_the_first_run_nothing_is_covered(adapters: Adapters) -> None:
    assert adapters.register.read(ORG) == NOTHING_COVERED
    assert NOTHING_COVERED.tree_size == 0
    assert (NOTHING_COVERED.tail, NOTHING_COVERED.published) == (EMPTY_CHAIN, EMPTY_CHAIN)


def test_every_step_is_remembered_as_it_was(adapters: Adapters) -> None:
    steps = [NOTHING_COVERED, ONE, published(ONE), replace(published(ONE), cleared=1), TWO, published(TWO)]
    steps[4] = replace(TWO, cleared=1)
    steps[5] = published(steps[4])
    for old, new in pairwise(steps):
        assert adapters.register.advance(ORG, old, new)
        assert adapters.register.read(ORG) == new
    assert adapters.register.read("globex") == NOTHING_COVERED


@pytest.mark.parametrize("step", range(4))
def test_who_is_late_changes_nothing(adapters: Adapters, step: int) -> None:
    """Whatever part of the state has moved: tail, published, cleared."""
    steps = [NOTHING_COVERED, ONE, published(ONE), replace(published(ONE), cleared=1), replace(TWO, cleared=1)]
    for old, new in pairwise(steps[: step + 2]):
        assert adapters.register.advance(ORG, old, new)
    now = adapters.register.read(ORG)

    for old, new in pairwise(steps[: step + 2]):
        assert not adapters.register.advance(ORG, old, new)
    assert adapters.register.read(ORG) == now


def test_the_root_is_part_of_what_is_compared(adapters: Adapters) -> None:
    adapters.register.advance(ORG, NOTHING_COVERED, ONE)
    rival = fixed(1, "99" * 32, NOTHING_COVERED)

    assert not adapters.register.advance(ORG, rival, published(rival))
    assert adapters.register.read(ORG) == ONE


def test_a_file_is_there_as_it_was_written(adapters: Adapters) -> None:
    files = [TILE, File(entries_path(0), b"bundle"), File("checkpoints/000000000003", b"note")]

    adapters.files.write(ORG, files, retain_until_ms=UNTIL)

    assert [adapters.files.read(ORG, file.path) for file in files] == [file.data for file in files]
    assert adapters.files.read("globex", TILE.path) is None
    assert adapters.files.read(ORG, TILE.path[:-1]) is None
    assert adapters.files.read(ORG, tile_path(0, 0)) is None, "a partial tile is not the full one"


def test_nothing_to_write_is_no_trouble(adapters: Adapters) -> None:
    adapters.files.write(ORG, [], retain_until_ms=UNTIL)


def test_writing_again_succeeds_with_the_same_bytes_and_with_no_others(adapters: Adapters) -> None:
    other = File(tile_path(0, 0, 4), bytes(128))
    adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)
    adapters.files.write(ORG, [TILE, other], retain_until_ms=UNTIL + 86_400_000)

    with pytest.raises(EvidenceBroken):
        adapters.files.write(ORG, [File(TILE.path, b"x" * 96)], retain_until_ms=UNTIL)

    assert adapters.files.read(ORG, TILE.path) == TILE.data
    assert adapters.files.read(ORG, other.path) == other.data


def test_what_lies_over_a_file_does_not_hide_it(adapters: Adapters) -> None:
    key = f"{ORG}/_log/{TILE.path}"
    adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)

    adapters.put_over(key, b"newer")
    assert adapters.files.read(ORG, TILE.path) == TILE.data
    adapters.mark_deleted(key)
    assert adapters.files.read(ORG, TILE.path) == TILE.data


def test_what_was_there_before_stays_and_is_noticed(adapters: Adapters) -> None:
    adapters.put_stranger(f"{ORG}/_log/{TILE.path}", b"mine")

    with pytest.raises(EvidenceBroken):
        adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)


def test_a_hidden_file_is_no_room_for_another(adapters: Adapters) -> None:
    """S3 takes a create-only put over a delete marker: the first version is still what counts."""
    key = f"{ORG}/_log/{TILE.path}"
    adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)
    adapters.mark_deleted(key)
    adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)

    assert adapters.files.read(ORG, TILE.path) == TILE.data


def test_sizes_are_those_of_the_checkpoints(adapters: Adapters) -> None:
    sizes = [1, 3, 9, 10, 255, 256, 257, 1000, 65537]
    notes = [File(f"checkpoints/{size:012d}", b"note %d" % size) for size in reversed(sizes)]
    adapters.files.write(ORG, notes, retain_until_ms=UNTIL)
    adapters.files.write("globex", [File("checkpoints/000000000002", b"x")], retain_until_ms=UNTIL)
    for name in ("5", "000000000007.bak", "x", "00000000000a"):
        adapters.put_stranger(f"{ORG}/_log/checkpoints/{name}", b"")
    adapters.mark_deleted(f"{ORG}/_log/checkpoints/000000000009")

    for at_least in (0, 1, 2, 3, 4, 255, 256, 258, 65537, 65538):
        assert list(adapters.files.sizes(ORG, at_least=at_least)) == [s for s in sizes if s >= at_least], at_least
    assert list(islice(adapters.files.sizes(ORG, at_least=9), 1)) == [9]
    assert list(adapters.files.sizes("initech", at_least=1)) == []


def test_checkpoints_come_with_their_first_version_in_order(adapters: Adapters) -> None:
    """Also those behind a newer version or a delete marker, and however many there are."""
    sizes = [*range(1, 80), 1000, 65537]
    notes = [File(f"checkpoints/{size:012d}", b"note %d" % size) for size in reversed(sizes)]
    adapters.files.write(ORG, notes, retain_until_ms=UNTIL)
    adapters.put_stranger(f"{ORG}/_log/checkpoints/x", b"")
    for size in (3, 79, 65537):
        adapters.put_stranger(f"{ORG}/_log/checkpoints/{size:012d}", b"laid over")
    adapters.mark_deleted(f"{ORG}/_log/checkpoints/000000000009")

    for at_least in (0, 1, 9, 78, 1001, 65538):
        found = list(adapters.files.checkpoints(ORG, at_least=at_least))
        assert found == [(size, b"note %d" % size) for size in sizes if size >= at_least], at_least
    assert list(adapters.files.checkpoints("initech", at_least=1)) == []


def test_of_a_stranger_that_is_too_large_the_beginning_is_read(adapters: Adapters) -> None:
    data = bytes(MAX_FILE_BYTES) + b"and more"
    for path in ("checkpoint", "checkpoints/000000000005"):
        adapters.put_stranger(f"{ORG}/_log/{path}", data)
        assert adapters.files.read(ORG, path) == data[: MAX_FILE_BYTES + 1]
        assert adapters.files.current(ORG, path) == data[: MAX_FILE_BYTES + 1]
    assert list(adapters.files.checkpoints(ORG, at_least=1)) == [(5, data[: MAX_FILE_BYTES + 1])]


def test_proofs_for_the_ledgers_log_come_with_their_first_version_in_order(adapters: Adapters) -> None:
    assert isinstance(adapters.files, S3LogFiles | FakeLogFiles)
    sizes = [3, 4, 9, 10, 65537]
    proofs = [File(ledger_proof_path(size), b"proof %d" % size) for size in reversed(sizes)]
    adapters.files.write(ORG, [*proofs, File("checkpoints/000000000005", b"x")], retain_until_ms=UNTIL)
    for name in ("000000000005", "000000000006.tlog-proof.bak", "7.tlog-proof"):
        adapters.put_stranger(f"{ORG}/_log/ledger/{name}", b"")
    adapters.put_stranger(f"{ORG}/_log/{ledger_proof_path(9)}", b"laid over")
    adapters.mark_deleted(f"{ORG}/_log/{ledger_proof_path(4)}")

    for at_least in (0, 1, 3, 4, 5, 10, 65538):
        found = list(adapters.files.ledger_proofs(ORG, at_least=at_least))
        assert found == [(size, b"proof %d" % size) for size in sizes if size >= at_least], at_least
    assert list(adapters.files.ledger_proofs("initech", at_least=1)) == []


def test_names_are_listed_from_anywhere_on(adapters: Adapters) -> None:
    assert isinstance(adapters.files, S3LogFiles | FakeLogFiles)
    given = [f"anchors/{size:012d}/{name}" for size in (3, 4, 10) for name in ("ots-a.pending.ots", "rfc3161-b.tsr")]
    adapters.files.write(ORG, [File(path, b"x") for path in (*given, "checkpoints/3")], retain_until_ms=UNTIL)
    adapters.put_stranger(f"{ORG}/_log/{given[0]}", b"laid over")

    assert list(adapters.files.names(ORG, "anchors/")) == given
    for after in ("", "anchors/000000000003", given[0], "anchors/000000000004", given[-1]):
        assert list(adapters.files.names(ORG, "anchors/", after=after)) == [name for name in given if name > after]


def test_the_latest_goes_forward_only(adapters: Adapters) -> None:
    def read() -> bytes | None:
        return adapters.files.read(ORG, "checkpoint")

    assert read() is None
    for size, expected in ((3, 3), (3, 3), (7, 7), (5, 7), (10, 10)):
        note = b"indelible/acme-corp\n%d\nroot\n" % size
        adapters.files.latest(ORG, note, size=size, retain_until_ms=UNTIL)
        assert read() == b"indelible/acme-corp\n%d\nroot\n" % expected
    assert list(adapters.files.sizes(ORG, at_least=1)) == []


def test_the_latest_behind_a_delete_marker_is_still_the_latest_and_is_replaced(adapters: Adapters) -> None:
    notes = {size: b"indelible/acme-corp\n%d\nroot\n" % size for size in (3, 7, 9)}
    for size in (3, 7):
        adapters.files.latest(ORG, notes[size], size=size, retain_until_ms=UNTIL)
    adapters.mark_deleted(f"{ORG}/_log/checkpoint")

    assert adapters.files.read(ORG, "checkpoint") == notes[7]
    adapters.files.latest(ORG, notes[9], size=9, retain_until_ms=UNTIL)
    assert adapters.files.read(ORG, "checkpoint") == notes[9]


def test_more_signatures_under_the_same_tree_are_newer(adapters: Adapters) -> None:
    def note(size: int, *names: str) -> bytes:
        return (f"indelible\n{size}\nroot\n\n" + "".join(f"\u2014 {name} AAAA\n" for name in names)).encode()

    steps = [
        (3, ("log",), ("log",)),
        (3, ("log", "w1"), ("log", "w1")),
        (3, ("log",), ("log", "w1")),  # the anchor publishes once more after a crash
        (3, ("log", "w2"), ("log", "w1")),
        (3, ("log", "w1", "w2"), ("log", "w1", "w2")),
    ]
    for size, names, expected in steps:
        adapters.files.latest(ORG, note(size, *names), size=size, retain_until_ms=UNTIL)
        assert adapters.files.read(ORG, "checkpoint") == note(size, *expected)
    adapters.files.latest(ORG, note(4, "log"), size=4, retain_until_ms=UNTIL)
    adapters.files.latest(ORG, note(3, "log", "w1", "w2", "w3"), size=3, retain_until_ms=UNTIL)
    assert adapters.files.read(ORG, "checkpoint") == note(4, "log"), "a larger tree before all signatures"


def test_rubbish_in_the_place_of_the_latest_is_replaced(adapters: Adapters) -> None:
    adapters.put_stranger(f"{ORG}/_log/checkpoint", b"rubbish")
    note = b"indelible/acme-corp\n1\nroot\n"

    adapters.files.latest(ORG, note, size=1, retain_until_ms=UNTIL)

    assert adapters.files.read(ORG, "checkpoint") == note


def test_the_lock_of_a_first_version_is_lengthened_where_it_is_too_short(adapters: Adapters) -> None:
    day_ms = 86_400_000
    adapters.files.write(ORG, [TILE], retain_until_ms=UNTIL)
    adapters.put_over(f"{ORG}/_log/{TILE.path}", b"newer")

    def keep(at_least_ms: int, until_ms: int) -> int:
        return adapters.files.extend_lock(ORG, TILE.path, at_least_until_ms=at_least_ms, retain_until_ms=until_ms)

    assert keep(UNTIL, UNTIL + 9 * day_ms) == UNTIL, "long enough"
    assert keep(UNTIL + 1, UNTIL + 9 * day_ms) == UNTIL + 9 * day_ms
    assert keep(UNTIL + 8 * day_ms, UNTIL + 20 * day_ms) == UNTIL + 9 * day_ms
    assert keep(UNTIL + 10 * day_ms, UNTIL + 20 * day_ms) == UNTIL + 20 * day_ms
    assert adapters.files.read(ORG, TILE.path) == TILE.data


def test_there_is_no_lock_to_lengthen_where_there_is_no_file(adapters: Adapters) -> None:
    with pytest.raises(EvidenceBroken):
        adapters.files.extend_lock(ORG, TILE.path, at_least_until_ms=UNTIL, retain_until_ms=UNTIL)
