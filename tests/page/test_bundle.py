# SPDX-License-Identifier: Apache-2.0
"""The page in a bundle and the auditor's verifier of the same bundle agree, whatever was done in the bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from indelible.audit.bundle import BundleSource
from indelible.audit.verify import AuditRequest, audit
from indelible.domain.note import verifier_key
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, exported
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.unpacked import Unpacked
from tests.fakes.world import World
from tests.page.conftest import Opener
from tests.page.test_held import pin

SIZES = (4, 9, 15)
PINNED = verifier_key(LEDGER_NAME, FakeSigner().public_key())


def sealed() -> World:
    """Twenty records with checkpoints at SIZES, in the ledger's own log; the last five are under none."""
    world, start = World(), 0
    for size in (*SIZES, 20):
        world.record(*range(start + 1, size + 1))
        start = size
        if size in SIZES:
            world.anchored()
            world.logged()
    return world


def in_record(sequence: int, old: bytes, new: bytes, *, fresh: bool = False) -> Callable[[World], None]:
    """Change bytes of a record; with a checksum that fits them, if it is to be `fresh`."""

    def change(world: World) -> None:
        key = world.administrator.key_of(ORG, sequence)
        data = world.bucket.versions(key)[0].data
        assert old in data
        (world.administrator.rewrite if fresh else world.administrator.rot)(key, data.replace(old, new))

    return change


def without(*sequences: int) -> Callable[[World], None]:
    """Remove records."""

    def change(world: World) -> None:
        for sequence in sequences:
            world.administrator.remove(world.administrator.key_of(ORG, sequence))

    return change


def in_log(path: str, change: Callable[[bytes], bytes]) -> Callable[[World], None]:
    """Change a file of the signed log."""

    def changed(world: World) -> None:
        key = f"{ORG}/_log/{path}"
        world.administrator.rewrite(key, change(world.bucket.versions(key)[0].data))

    return changed


def a_digit(data: bytes) -> bytes:
    """Another first character in the base64 of the signature."""
    place = data.rindex(b" ") + 30
    return data[:place] + (b"A" if data[place : place + 1] != b"A" else b"B") + data[place + 1 :]


def a_root(data: bytes) -> bytes:
    """Another root in the text."""
    lines = data.split(b"\n")
    return b"\n".join([*lines[:2], b"A" * 43 + b"=", *lines[3:]])


def another_index(data: bytes) -> bytes:
    """A proof of the leaf beside it."""
    index = int(data.split(b"\n")[1].removeprefix(b"index "))
    return data.replace(b"index %d\n" % index, b"index %d\n" % (index ^ 1))


DONE: dict[str, Callable[[World], None]] = {
    "nothing": lambda world: None,
    "a byte of 7": in_record(7, b'"number":7', b'"number":6'),
    "7 rewritten": in_record(7, b'"number":7', b'"number":6', fresh=True),
    "20 rewritten, which nothing covers": in_record(20, b'"number":20', b'"number":21', fresh=True),
    "15 rewritten, which is the last one signed": in_record(15, b'"number":15', b'"number":16', fresh=True),
    "7 removed": without(7),
    "the first two removed": without(1, 2),
    "all that was signed last removed": without(*range(14, 21)),
    "the signature of 9": in_log("checkpoints/000000000009", a_digit),
    "the root of 9": in_log("checkpoints/000000000009", a_root),
    "the proof of 9": in_log("ledger/000000000009.tlog-proof", another_index),
    "the proof of 15": in_log("ledger/000000000015.tlog-proof", another_index),
    "the proof of 9 rubbish": in_log("ledger/000000000009.tlog-proof", lambda _: b"rubbish"),
    "the checkpoint of 9 rubbish": in_log("checkpoints/000000000009", lambda _: b"rubbish"),
    "a newer version over 7": lambda world: world.administrator.lay_newer_version(
        world.administrator.key_of(ORG, 7), b"{}"
    ),
}


@pytest.mark.parametrize("what", DONE)
@pytest.mark.parametrize(("first", "last"), [(1, 20), (6, 12)], ids=["whole", "part"])
def test_page_and_verifier_agree(what: str, first: int, last: int, opens: Opener, tmp_path: Path) -> None:
    world = sealed()
    DONE[what](world)
    bundle = exported(world.bucket, Range(start_seq=first, end_seq=last))
    path = tmp_path / "evidence.zip"
    path.write_bytes(bundle)
    found = audit(BundleSource(path), AuditRequest(key=KEY))

    page = opens(Unpacked.of(bundle).files["evidence.html"])
    pin(page, PINNED)

    assert page.verdict["valid"] is found.valid, (page.codes, found.failures)
    assert page.verdict["first_broken_at"] == found.first_broken_at, (page.codes, found.failures)
    assert page.verdict["entries_checked"] == found.entries_checked
    assert {code for code, _ in page.codes} <= {failure.code.value for failure in found.failures}
