# SPDX-License-Identifier: Apache-2.0
"""The shelf belongs to all tracks of a run: one looks at it while another stores what it got."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from indelible.domain.anchors import AnchorFile
from indelible.ports.external import StoredAnchor
from indelible.services.anchor_shelf import Shelf
from tests.fakes.chains import RETENTION
from tests.fakes.world import World

TRACK = AnchorFile("token", "tsa").track
LOOKS: list[Callable[[Shelf], object]] = [
    lambda shelf: shelf.has(1, TRACK),
    lambda shelf: shelf.sizes_without(TRACK),
    lambda shelf: shelf.files_of(TRACK),
    lambda shelf: shelf.waiting_ms(TRACK),
]


class Interrupting(AnchorFile):
    """Whoever asks for its track is interrupted by another track, which stores its own answer just then."""

    shelf: Shelf
    stored = 0

    @property
    def track(self) -> str:
        Interrupting.stored += 1
        Interrupting.shelf.keep(Interrupting.stored, AnchorFile("token", "other"), b"token")
        return super().track


@pytest.mark.parametrize("look", LOOKS, ids=["has", "sizes_without", "files_of", "waiting_ms"])
def test_what_another_track_stores_meanwhile_disturbs_nobody(look: Callable[[Shelf], object]) -> None:
    world = World()
    Interrupting.shelf = Shelf(
        log=world.log(),
        files=world.files,
        retention=RETENTION,
        clock=world.clock,
        published=(),
        stored=[StoredAnchor(size, Interrupting("token", "tsa"), world.clock.now) for size in (1, 2, 3)],
    )
    Interrupting.stored = 0

    look(Interrupting.shelf)

    assert Interrupting.stored > 0
    assert Interrupting.shelf.has(1, AnchorFile("token", "other").track)
