# SPDX-License-Identifier: Apache-2.0
"""External anchors: told in any case, and believed where they are true and the auditor trusts the provider."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from indelible.audit.anchors import Trust, trusted
from indelible.audit.pending import pending
from indelible.audit.source import NotEvidence
from indelible.audit.verify import Audit, AuditRequest, audit
from indelible.domain import note as notes
from indelible.domain.anchors import AnchorFile
from indelible.external.verify_ots import pending_at, read_bitcoin_headers, read_ots, read_stamp, write_detached
from local.external.calendar import Calendar
from local.external.web import Request
from tests.fakes.audits import KEY, bucket_source
from tests.fakes.world import World
from tests.unit.services.test_ledger_proof import ALICE, BOB, cosign, grown, note_of, put, token

__all__ = ["token"]


class Clock:
    """Turned by hand."""

    now = 1_774_016_600.0

    def __call__(self) -> float:
        return self.now


def seen(world: World, trust: Trust) -> Audit:
    return audit(bucket_source(world.bucket), AuditRequest(key=KEY, trust=trust))


def told(verdict: Audit) -> list[tuple[str, int, bool]]:
    assert verdict.valid, verdict.failures
    return [(one.kind, one.size, one.checked) for one in verdict.anchors]


def test_without_a_ledger_log_there_is_nothing_to_tell() -> None:
    world = World()
    world.record(1)
    world.anchored()

    verdict = seen(world, Trust())

    assert told(verdict) == []
    assert any("no external anchor" in said for said in verdict.unchecked)


def test_witnesses_count_when_they_are_named() -> None:
    world = grown(1, 3)
    cosign(world, 3, ALICE, BOB)

    assert told(seen(world, Trust())) == [("ledger log", 1, True), ("witness", 3, False), ("witness", 3, False)]
    found = seen(world, Trust(witnesses=(ALICE.key,)))
    assert told(found) == [("ledger log", 1, True), ("witness", 3, True), ("witness", 3, False)]
    assert not any("no external anchor" in said for said in found.unchecked)


def test_a_forged_cosignature_is_told_and_says_nothing_of_the_records() -> None:
    world = grown(1)
    line = ALICE.line(note_of(world, 1))
    forged = notes.Signature(line.name, line.key_id, line.signature[:-1] + b"\x00").line.encode()
    put(world, 1, AnchorFile("cosignature", "alice"), forged)
    put(world, 1, AnchorFile("token", "junk"), b"junk")
    put(world, 1, AnchorFile("pending", "junk"), b"junk")

    verdict = seen(world, Trust(witnesses=(ALICE.key,), tsa_roots=b"no roots"))

    assert [one.checked for one in verdict.anchors if one.kind != "ledger log"] == [False, False, False]
    assert all("not true" in one.words for one in verdict.anchors if one.kind != "ledger log")
    assert verdict.valid


def test_a_timestamp_is_believed_under_a_root_that_is_trusted(
    token: Callable[[bytes], bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = grown(1)
    put(world, 1, AnchorFile("token", "tsa"), token(note_of(world, 1).data))
    put(world, 1, AnchorFile("token", "other"), token(b"something else"))
    root = next(tmp_path_factory.getbasetemp().glob("authority*/root.pem"))

    assert told(seen(world, Trust()))[1:] == [("timestamp", 1, False), ("timestamp", 1, False)]
    found = seen(world, trusted(tsa_roots=[root]))
    assert sorted(told(found)[1:]) == [("timestamp", 1, False), ("timestamp", 1, True)]


def test_opentimestamps_needs_the_header_of_its_block() -> None:
    world, clock = grown(1), Clock()
    calendar = Calendar("http://calendar.example", block_seconds=600, clock=clock)
    digest = hashlib.sha256(note_of(world, 1).data).digest()
    stamp = read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest)
    put(world, 1, AnchorFile("pending", "alice"), write_detached(stamp))
    assert told(seen(world, Trust()))[1:] == [("opentimestamps", 1, False)]
    (waiting,) = pending(bucket_source(world.bucket))
    clock.now += 3600

    height, proof = completed(calendar, stamp, digest)
    with_proof = {waiting.path: proof}
    headers = read_bitcoin_headers(calendar(Request("GET", "/headers", "", b"")).body.decode())

    without = seen(world, Trust(completed=with_proof))
    assert "was not given" in without.anchors[-1].words
    found = seen(world, Trust(completed=with_proof, headers=headers))
    assert told(found)[1:] == [("opentimestamps", 1, True)]
    assert waiting.completed_path(height) == f"anchors/000000000001/ots-alice.bitcoin-{height}.ots"
    wrong = {height: bytes(80)}
    assert "not true" in seen(world, Trust(completed=with_proof, headers=wrong)).anchors[-1].words


def completed(calendar: Calendar, stamp: object, digest: bytes) -> tuple[int, bytes]:
    for _, commitment in pending_at(stamp):  # type: ignore[arg-type]
        answer = calendar(Request("GET", f"/timestamp/{commitment.hex()}", "", b""))
        for place in _places(stamp):
            if place.msg == commitment:
                place.merge(read_stamp(answer.body, commitment))
    proof = write_detached(stamp)  # type: ignore[arg-type]
    found = read_ots(proof, digest)
    assert found is not None
    return found.height, proof


def _places(stamp: object) -> list[object]:
    found = [stamp]
    for one in found:
        found.extend(one.ops.values())  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    "given",
    [
        {"witnesses": ["nonsense"]},
        {"witnesses": [notes.verifier_key("indelible", bytes(32))]},
        {"witnesses": [str(ALICE.key)], "quorum": 2},
        {"witnesses": [str(ALICE.key)] * 2, "quorum": 2},
        {"witnesses": [str(ALICE.key), str(replace(ALICE.key, name="witness.example/alias"))]},
        {"headers": ["1:abc"]},
    ],
)
def test_trust_that_cannot_be_read(given: dict[str, object]) -> None:
    with pytest.raises(NotEvidence):
        trusted(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("content", ["", "\n# none yet\n"])
def test_a_file_of_headers_has_some(content: str, tmp_path: Path) -> None:
    (tmp_path / "headers.txt").write_text(content)

    with pytest.raises(NotEvidence, match="no block header"):
        trusted(headers_file=tmp_path / "headers.txt")


def test_a_quorum_is_of_those_who_are_named() -> None:
    assert trusted(witnesses=[str(ALICE.key), str(BOB.key)]).needed == 2
    assert trusted(witnesses=[str(ALICE.key), str(BOB.key)], quorum=1).needed == 1
    assert trusted(witnesses=[str(ALICE.key), str(ALICE.key)]).needed == 1, "named twice, one witness"
