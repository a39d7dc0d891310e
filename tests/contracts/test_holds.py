# SPDX-License-Identifier: Apache-2.0
"""LegalHolds: one flag for each version, whatever lies over it."""

from __future__ import annotations

from tests.contracts.conftest import Adapters
from tests.fakes.chains import build_chain

CHAIN = build_chain(2)
KEY = CHAIN[0].s3_key


def test_a_version_is_held_by_itself_and_as_often_as_one_likes(adapters: Adapters) -> None:
    version = adapters.records.seal(CHAIN[0])
    adapters.put_over(KEY, b"newer")
    first, second = adapters.flags.versions(KEY)
    assert first == version

    def seen() -> tuple[bool, bool]:
        return adapters.flags.is_on(KEY, first), adapters.flags.is_on(KEY, second)

    assert seen() == (False, False)
    for on in (True, True, False, False, True):
        adapters.flags.switch(KEY, first, on=on)
        assert seen() == (on, False)
    stored = adapters.records.oldest(KEY)
    assert stored is not None
    assert stored.lock is not None
    assert stored.lock.retain_until_ms == CHAIN[0].retain_until_ms, "retention is as it was"


def test_the_versions_of_one_key_and_no_other(adapters: Adapters) -> None:
    adapters.records.seal(CHAIN[0])
    adapters.put_stranger(f"{KEY}x", b"a longer key")
    for number in range(3):
        adapters.put_over(KEY, b"%d" % number)
    adapters.mark_deleted(KEY)
    assert len(adapters.flags.versions(KEY)) == 4
    assert list(adapters.flags.versions(KEY[:-1])) == []
    assert list(adapters.flags.versions(CHAIN[1].s3_key)) == []
