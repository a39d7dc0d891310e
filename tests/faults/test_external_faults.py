# SPDX-License-Identifier: Apache-2.0
"""The function for external anchoring dies anywhere, or loses what it asked for: the next runs finish it all."""

from __future__ import annotations

import pytest

from indelible.errors import LedgerError
from indelible.services.external_anchors import ExternalReport
from tests.fakes.external_world import ExternalWorld
from tests.faults.wire import HOWS, WHENS, Fault, Killed, Wire

EVERYTHING = [
    f"{size:012d}/{name}"
    for size in (1, 2)
    for name in ("ots-alice.bitcoin-7.ots", "ots-alice.pending.ots", "rfc3161-tsa.tsr")
]


def world() -> ExternalWorld:
    """Two checkpoints, the first of which the witness has cosigned; a block is there."""
    made = ExternalWorld()
    made.grow()
    made.run()
    made.grow()
    made.calendar.height = 7
    return made


def run(there: ExternalWorld, wire: Wire | None = None) -> ExternalReport | None:
    try:
        return there.run("sweep", wire)
    except (LedgerError, Killed):
        return None


def finished(there: ExternalWorld) -> None:
    seen = [path for path in there.stored() if "witness-" in path]
    assert sorted(set(there.stored()) - set(seen)) == EVERYTHING
    assert [path[:12] for path in seen] == ["000000000001", "000000000002"]
    assert there.latest() == (2, {"indelible", "eve.example/w"})
    for path in there.stored():
        assert len(there.world.bucket.versions(f"_ledger/_log/anchors/{path}")) == 1, "the first answer counts"


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("when", WHENS)
def test_every_call_fails_in_every_way(when: str, how: str) -> None:
    honest, wire = world(), Wire()
    assert run(honest, wire) is not None
    assert run(honest) is not None, "a proof is completed by a later run than the one that got it"
    finished(honest)
    assert {
        "anchors.published",
        "anchors.stored",
        "authority.stamp",
        "calendar.submit",
        "calendar.upgrade",
        "witness.cosign",
        "files.read",
        "files.write",
        "files.latest",
    } <= set(wire.calls)

    for place, name in enumerate(wire.calls, start=1):
        there = world()
        run(there, Wire(Fault(place, when, how)))  # type: ignore[arg-type]
        run(there, Wire(Fault(place, when, how)))  # type: ignore[arg-type]
        run(there)
        run(there)
        try:
            finished(there)
        except AssertionError as error:
            error.add_note(f"cell: {name} (call {place}), {when}, {how}")
            raise
