# SPDX-License-Identifier: Apache-2.0
"""RecentCheckpoints belongs to all tracks of a run: one looks at it while another stores what it got."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.ports.external import StoredAnchor
from indelible.services.recent_checkpoints import RecentCheckpoints
from tests.fakes.chains import RETENTION
from tests.fakes.world import World

TRACK = AnchorFile("token", "tsa").track
LOOKS: list[Callable[[RecentCheckpoints], object]] = [
    lambda recent: recent.has(1, TRACK),
    lambda recent: recent.sizes_without(TRACK),
    lambda recent: recent.files_of(TRACK),
    lambda recent: recent.waiting_ms(TRACK),
]


class Interrupting(AnchorFile):
    """Whoever asks for its track is interrupted by another track, which stores its own answer just then."""

    recent: RecentCheckpoints
    stored = 0

    @property
    def track(self) -> str:
        Interrupting.stored += 1
        Interrupting.recent.store(Interrupting.stored, AnchorFile("token", "other"), b"token")
        return super().track


@pytest.mark.parametrize("look", LOOKS, ids=["has", "sizes_without", "files_of", "waiting_ms"])
def test_what_another_track_stores_meanwhile_disturbs_nobody(look: Callable[[RecentCheckpoints], object]) -> None:
    world = World()
    Interrupting.recent = RecentCheckpoints(
        log=world.log(),
        files=world.files,
        retention=RETENTION,
        clock=world.clock,
        published=(),
        stored=[StoredAnchor(size, Interrupting("token", "tsa"), world.clock.now) for size in (1, 2, 3)],
    )
    Interrupting.stored = 0

    look(Interrupting.recent)

    assert Interrupting.stored > 0
    assert Interrupting.recent.has(1, AnchorFile("token", "other").track)
