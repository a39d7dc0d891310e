# SPDX-License-Identifier: Apache-2.0
"""S3Anchors against listings with times: the last day is found without reading what lies before it."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.aws.s3_anchors import S3Anchors
from indelible.domain import instants
from indelible.domain.anchors import AnchorFile
from tests.fakes.machine import MIDNIGHT

MINUTE, DAY = 60_000, 86_400_000
CHECKPOINTS = "_ledger/_log/checkpoints/"


class Listing:
    """ListObjectVersions over (key, version id, time), newest version first; counts what it is asked."""

    def __init__(self, found: list[tuple[str, str, int]]) -> None:
        self.found = sorted(found, key=lambda one: (one[0], -one[2]))
        self.pages = 0
        self.listed = 0

    def list_object_versions(
        self,
        *,
        Bucket: str,  # noqa: N803
        Prefix: str,  # noqa: N803
        MaxKeys: int,  # noqa: N803
        KeyMarker: str,  # noqa: N803
        VersionIdMarker: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        assert Bucket == "evidence"
        self.pages += 1
        ids = [(key, version) for key, version, _ in self.found]
        after = ids.index((KeyMarker, VersionIdMarker)) + 1 if VersionIdMarker else None
        rest = self.found[after:] if after is not None else [one for one in self.found if one[0] > KeyMarker]
        rest = [one for one in rest if one[0].startswith(Prefix)]
        page = rest[:MaxKeys]
        self.listed += len(page)
        answer: dict[str, Any] = {
            "Versions": [{"Key": key, "LastModified": instants.to_datetime(ms)} for key, _, ms in page],
            "IsTruncated": len(rest) > len(page),
        }
        return answer | ({"NextKeyMarker": page[-1][0], "NextVersionIdMarker": page[-1][1]} if page else {})


def checkpoints(*sizes: int, every_ms: int = 5 * MINUTE) -> list[tuple[str, str, int]]:
    """One each five minutes, the last one at midnight."""
    newest = len(sizes) - 1
    return [(f"{CHECKPOINTS}{size:012d}", "v", MIDNIGHT - (newest - n) * every_ms) for n, size in enumerate(sizes)]


def anchors(listing: Listing) -> S3Anchors:
    return S3Anchors(client=listing, bucket="evidence")  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_day_is_found_among_years(step: int) -> None:
    sizes = range(step, 20_000 * step, step)
    listing = Listing(checkpoints(*sizes))
    found = anchors(listing).published(newest=sizes[-1], since_ms=MIDNIGHT - DAY)

    assert [one.size for one in found] == list(sizes[-289:]), "a day of five minutes, both ends"
    assert found[-1].published_ms == MIDNIGHT
    assert listing.pages <= 25
    assert listing.listed < 1200, "not the years before"


@pytest.mark.parametrize("newest", [1, 500, 19_999])
def test_an_old_hint_costs_more_and_finds_the_same(newest: int) -> None:
    listing = Listing(checkpoints(*range(1, 20_000)))
    found = anchors(listing).published(newest=newest, since_ms=MIDNIGHT - DAY)
    assert [one.size for one in found if one.published_ms >= MIDNIGHT - DAY] == list(range(19_711, 20_000))
    assert found[-1].size == 19_999


def test_a_burst_after_silence() -> None:
    old, new = checkpoints(*range(1, 4000)), checkpoints(*range(4000, 5000), every_ms=1)
    listing = Listing([(key, version, ms - 30 * DAY) for key, version, ms in old] + new)
    found = anchors(listing).published(newest=4999, since_ms=MIDNIGHT - DAY)
    assert [one.size for one in found] == list(range(4000, 5000))


def test_the_first_version_says_when() -> None:
    key = f"{CHECKPOINTS}{7:012d}"
    listing = Listing([*checkpoints(5, 6, 7), (key, "laid over", MIDNIGHT + DAY)])
    (found,) = anchors(listing).published(newest=7, since_ms=MIDNIGHT)
    assert (found.size, found.published_ms) == (7, MIDNIGHT)


def test_files_come_in_pages_with_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indelible.aws.s3_anchors.PAGE", 3)
    file = AnchorFile("token", "a")
    keys = [f"_ledger/_log/{file.path(size)}" for size in range(1, 10)]
    listing = Listing(
        [(key, "v", MIDNIGHT + n) for n, key in enumerate(keys)]
        + [(keys[4], f"x{n}", MIDNIGHT + DAY + n) for n in range(7)]
    )
    found = [(one.size, one.stored_ms) for one in anchors(listing).stored(at_least=3)]
    assert found == [(size, MIDNIGHT + size - 1) for size in range(3, 10)]
