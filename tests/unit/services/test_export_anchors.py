# SPDX-License-Identifier: Apache-2.0
"""A bundle leads up to the ledger's own log, and to its external anchors."""

from __future__ import annotations

from pathlib import Path

from indelible.audit.anchors import Trust
from indelible.audit.bundle import BundleSource
from indelible.audit.verify import AuditRequest, audit
from indelible.domain.anchors import AnchorFile
from indelible.services.log import LEDGER
from indelible.services.ranges import Range
from tests.fakes.audits import KEY, exported
from tests.fakes.chains import ORG
from tests.fakes.unpacked import Unpacked
from tests.fakes.world import World
from tests.unit.services.test_ledger_proof import ALICE, note_of, put


def grown() -> World:
    """Checkpoints of 2, 4, 6 and 8 records, each a leaf of the ledger's log; its size 3 has been seen by Alice."""
    world = World()
    for start in range(1, 9, 2):
        world.record(start, start + 1)
        world.anchored()
        world.logged()
    put(world, 3, AnchorFile("cosignature", "alice"), ALICE.line(note_of(world, 3)).line.encode())
    return world


def packed(world: World, start: int, end: int) -> bytes:
    return exported(world.bucket, Range(start_seq=start, end_seq=end))


def above(data: bytes) -> list[str]:
    return [path for path in Unpacked.of(data).files if path.startswith(("log/ledger/", "ledger/"))]


def test_each_checkpoint_has_its_place_in_the_ledger_s_log_and_the_first_anchor_from_there() -> None:
    assert above(packed(grown(), 1, 4)) == [
        "log/ledger/000000000002.tlog-proof",
        "log/ledger/000000000004.tlog-proof",
        "ledger/anchors/000000000003/witness-alice.cosignature",
        "ledger/checkpoints/000000000001",
        "ledger/checkpoints/000000000002",
        "ledger/checkpoints/000000000003",
        "ledger/tile/0/000.p/3",
    ]


def test_what_has_no_external_anchor_yet_leads_to_the_ledger_s_log_alone() -> None:
    assert above(packed(grown(), 7, 8)) == ["log/ledger/000000000008.tlog-proof", "ledger/checkpoints/000000000004"]


def test_an_auditor_with_the_bundle_alone_finds_the_witness(tmp_path: Path) -> None:
    path = tmp_path / "evidence.zip"
    path.write_bytes(packed(grown(), 1, 4))
    verdict = audit(BundleSource(path), AuditRequest(key=KEY, trust=Trust(witnesses=(ALICE.key,))))
    assert (verdict.valid, verdict.failures) == (True, [])
    assert [(one.kind, one.size, one.checked) for one in verdict.anchors] == [
        ("ledger log", 2, True),
        ("witness", 3, True),
    ]


def test_junk_in_the_place_of_a_proof_is_packed_as_it_is() -> None:
    world = grown()
    place = f"{ORG}/_log/ledger/000000000004.tlog-proof"
    world.administrator.rewrite(place, b"junk")
    found = Unpacked.of(packed(world, 1, 4)).files
    assert found["log/ledger/000000000004.tlog-proof"] == b"junk"


def test_key_statements_are_packed_as_they_lie() -> None:
    world = grown()
    stated = world.files.read(LEDGER, "keys/0001")
    assert stated is not None
    assert Unpacked.of(packed(world, 1, 4)).files["keys/0001"] == stated
    world.administrator.rewrite("_ledger/_log/keys/0001", b"junk")
    assert Unpacked.of(packed(world, 1, 4)).files["keys/0001"] == b"junk"
