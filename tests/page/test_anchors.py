# SPDX-License-Identifier: Apache-2.0
"""What others gave is told by the page as by the auditor's verifier of the same bundle, and believed no sooner."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from indelible.cli.main import cli
from indelible.domain.anchors import AnchorFile
from indelible.domain.note import Signature, verifier_key
from indelible.services.ranges import Range
from tests.fakes.audits import exported
from tests.fakes.chains import ORG
from tests.fakes.log import LEDGER_NAME, FakeSigner
from tests.fakes.unpacked import Unpacked
from tests.fakes.world import World
from tests.page.browser import Opened
from tests.page.conftest import Opener
from tests.page.test_held import pin
from tests.unit.services.test_ledger_proof import ALICE, BOB, COSIGNED_AT, note_of, put

PINNED = verifier_key(LEDGER_NAME, FakeSigner().public_key())
SIZE = 3
"""Of the ledger's log, where others looked at it; the organisation's last checkpoint (4 records) is leaf 2 of it."""


def grown() -> World:
    """Checkpoints of 2 and 4 records, then one of a neighbour; each is a leaf of the ledger's log."""
    world = World()
    for org_id, numbers in ((ORG, (1, 2)), (ORG, (3, 4)), ("globex", (1,))):
        world.record(*numbers, org_id=org_id)
        world.anchored(org_id=org_id)
        world.logged()
    return world


def line(world: World, at: int = COSIGNED_AT) -> Signature:
    return ALICE.line(note_of(world, SIZE), at)


def spoilt(one: Signature) -> bytes:
    return Signature(one.name, one.key_id, one.signature[:-1] + bytes([one.signature[-1] ^ 1])).line.encode()


def cosignature(world: World, data: bytes) -> None:
    put(world, SIZE, AnchorFile("cosignature", "alice"), data)


@dataclass(frozen=True)
class Case:
    """What was put beside the ledger's checkpoint, whom the reader trusts, and how the verifier exits."""

    given: Callable[[World], None]
    trusted: tuple[str, ...]
    status: int


CASES = {
    "nothing": Case(lambda world: None, (), 0),
    "nothing of a named witness": Case(lambda world: None, (str(ALICE.key),), 2),
    "a witness that nobody named": Case(lambda world: cosignature(world, line(world).line.encode()), (), 0),
    "another one named": Case(lambda world: cosignature(world, line(world).line.encode()), (str(BOB.key),), 2),
    "the one that was named": Case(lambda world: cosignature(world, line(world).line.encode()), (str(ALICE.key),), 0),
    "two named, one there": Case(
        lambda world: cosignature(world, line(world).line.encode()), (str(ALICE.key), str(BOB.key)), 2
    ),
    "two named, both there": Case(
        lambda world: cosignature(world, (line(world).line + BOB.line(note_of(world, SIZE)).line).encode()),
        (str(ALICE.key), str(BOB.key)),
        0,
    ),
    "a signature with another bit": Case(lambda world: cosignature(world, spoilt(line(world))), (str(ALICE.key),), 2),
    "a signature with another bit, nobody named": Case(lambda world: cosignature(world, spoilt(line(world))), (), 0),
    "another checkpoint cosigned": Case(
        lambda world: cosignature(world, ALICE.line(note_of(world, 2)).line.encode()), (str(ALICE.key),), 2
    ),
    "another time than was signed": Case(
        lambda world: cosignature(
            world,
            Signature(
                ALICE.key.name, ALICE.key.key_id, (COSIGNED_AT - 9).to_bytes(8, "big") + line(world).signature[8:]
            ).line.encode(),
        ),
        (str(ALICE.key),),
        2,
    ),
    "a time that no calendar has": Case(
        lambda world: cosignature(world, line(world, (1 << 62)).line.encode()), (str(ALICE.key),), 2
    ),
    "a cosignature cut short": Case(
        lambda world: cosignature(world, Signature(ALICE.key.name, ALICE.key.key_id, b"1234").line.encode()),
        (str(ALICE.key),),
        2,
    ),
    "no signature line": Case(lambda world: cosignature(world, b"junk"), (str(ALICE.key),), 2),
    "no text": Case(lambda world: cosignature(world, b"\xff\n"), (str(ALICE.key),), 2),
}


def written(world: World, directory: Path, **asked: int) -> Path:
    path = directory / "evidence.zip"
    path.write_bytes(exported(world.bucket, Range(**asked)))
    return path


def shown(path: Path, opens: Opener, *witnesses: str) -> Opened:
    page = opens(Unpacked.of(path.read_bytes()).files["evidence.html"])
    pin(page, PINNED)
    if witnesses:
        page.page.fill("#witness", "\n".join(witnesses))
        page.again("#witness-check")
    assert page.complaints == []
    return page


def verified(path: Path, *witnesses: str) -> tuple[int, dict[str, Any]]:
    """How `indelible verify` exits, and what it says."""
    options = [option for key in witnesses for option in ("--witness", key)]
    done = CliRunner().invoke(cli, ["verify", str(path), "--key", PINNED, "--json", *options])
    return done.exit_code, json.loads(done.stdout)


def without_words(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name != "words"} for one in verdict["anchors"]]


def true(verdict: dict[str, Any]) -> set[str]:
    """Whoever gave something that is not called untrue."""
    return {one["name"] for one in verdict["anchors"] if "not true" not in one["words"]}


@pytest.mark.parametrize("what", CASES)
def test_page_and_verifier_believe_the_same_witnesses(what: str, opens: Opener, tmp_path: Path) -> None:
    case, world = CASES[what], grown()
    case.given(world)
    path = written(world, tmp_path)
    status, found = verified(path, *case.trusted)

    page = shown(path, opens, *case.trusted)

    assert status == case.status
    assert page.verdict["valid"] is {0: True, 1: False, 2: None}[status]
    assert page.verdict["failures"] == found["failures"] == []
    assert without_words(page.verdict) == without_words(found)
    assert true(page.verdict) == true(found)
    for told, said in zip(page.verdict["anchors"], found["anchors"], strict=True):
        assert told["words"] == said["words"] or not said["checked"]
    assert page.page.locator("#anchors li.bad").count() == sum("not true" in one["words"] for one in found["anchors"])


def test_what_reaches_only_an_earlier_root_is_for_the_command(opens: Opener, tmp_path: Path) -> None:
    """The page has what leads up from the newest signed root; the verifier looks for the newest that is vouched for."""
    world = grown()
    put(world, 1, AnchorFile("cosignature", "alice"), ALICE.line(note_of(world, 1)).line.encode())
    path = written(world, tmp_path)
    status, found = verified(path, str(ALICE.key))

    page = shown(path, opens, str(ALICE.key))

    assert (status, [one["covers"] for one in found["anchors"] if one["kind"] == "witness"]) == (0, [2])
    assert page.verdict["valid"] is None


def test_what_was_forged_is_told_in_the_verifier_s_words(opens: Opener, tmp_path: Path) -> None:
    world = grown()
    cosignature(world, spoilt(line(world)))
    path = written(world, tmp_path)
    said = verified(path, str(ALICE.key))[1]["anchors"][1]["words"]

    page = shown(path, opens, str(ALICE.key))

    assert page.verdict["anchors"][1]["words"] == said
    assert said in page.text("#anchors li.bad")
    assert "no cosignature by this key" in page.text("#witness-result")
    assert page.text("#verdict-headline") == "Not decided"
    assert "0 of the witnesses that you named have signed; 1 are needed" in page.text("#verdict-text")
    page.again("#witness-clear")
    assert page.verdict["valid"] is True


def test_a_good_cosignature_is_seen_in_every_place(opens: Opener, tmp_path: Path) -> None:
    world = grown()
    cosignature(world, line(world).line.encode())

    page = shown(written(world, tmp_path), opens, f"  {ALICE.key}  ", "", str(ALICE.key))

    said = f"{ALICE.key.name} has seen the ledger's log of size 3 at 2026-03-20T14:23:20.000Z"
    assert page.verdict["anchors"][1]["words"] == said
    assert said in page.text("#anchors li.ok:last-child")
    assert page.text("#witness-result").startswith(f"✓ {ALICE.key.name} has seen")
    assert "1 of 1" in page.text("#checks tr:last-child")
    assert "the witnesses that you named, which reach as far as record 4" in page.text("#limits")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("", "A verifier key is name+hash+key"),
        ("nonsense", "A verifier key is name+hash+key"),
        (PINNED, "kind 4"),
        (f"{ALICE.key}\n{PINNED}", "kind 4"),
        (str(ALICE.key).replace("alice", "alicia"), "The hash in the verifier key"),
    ],
)
def test_what_is_no_witness_s_key_changes_nothing(keys: str, why: str, opens: Opener, tmp_path: Path) -> None:
    page = shown(written(grown(), tmp_path), opens)

    page.page.fill("#witness", keys)
    page.page.click("#witness-check")

    page.page.wait_for_selector("#witness-result[data-state=bad]")
    assert why in page.text("#witness-result")
    assert page.verdict["valid"] is True


def changed(path: Path, old: bytes, new: bytes) -> bytes:
    data = Unpacked.of(path.read_bytes()).files["evidence.html"]
    place = data.index(b'"anchored": {')
    assert old in data[place:]
    return data[:place] + data[place:].replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"indelible\\n3\\n", b"indelible\\n4\\n", "BAD_SIGNATURE"),
        (b'"size": 3', b'"size": 4', "CHECKPOINT_MISMATCH"),
        (b"\\nindex 1\\n", b"\\nindex 0\\n", "CHECKPOINT_MISMATCH"),
        (b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2", "CHECKPOINT_MISMATCH"),
    ],
    ids=["signed text", "size", "place", "version"],
)
def test_the_way_up_to_where_others_looked_is_checked(
    old: bytes, new: bytes, code: str, opens: Opener, tmp_path: Path
) -> None:
    world = grown()
    cosignature(world, line(world).line.encode())
    path = written(world, tmp_path)

    page = opens(changed(path, old, new))

    assert page.codes == [(code, 4)]
    assert "not checked" in page.text("#anchors")
