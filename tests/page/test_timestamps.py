# SPDX-License-Identifier: Apache-2.0
"""Timestamps and proofs in Bitcoin: the page says whether they are for this checkpoint, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from indelible.domain.anchors import AnchorFile
from indelible.external.verify_ots import read_stamp, write_detached
from local.external.calendar import Calendar
from local.external.web import Request
from tests.fakes.log import LEDGER_NAME
from tests.page.conftest import Opener
from tests.page.test_anchors import SIZE, grown, shown, true, verified, without_words, written
from tests.unit.audit.test_anchors import completed
from tests.unit.services.test_ledger_proof import COSIGNED_AT, note_of, put, token

__all__ = ["token"]


def test_timestamps_are_looked_at_as_far_as_what_they_are_for(
    opens: Opener, tmp_path: Path, token: Callable[[bytes], bytes]
) -> None:
    world = grown()
    published = note_of(world, SIZE).data
    calendar = Calendar("http://calendar.example", block_seconds=600, clock=lambda: float(COSIGNED_AT))
    digests = [hashlib.sha256(data).digest() for data in (published, b"other")]
    right, wrong = (
        write_detached(read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest)) for digest in digests
    )
    put(world, SIZE, AnchorFile("token", "tsa"), token(published))
    put(world, SIZE, AnchorFile("token", "tsb"), token(b"other"))
    put(world, SIZE, AnchorFile("token", "tsc"), b"junk")
    put(world, SIZE, AnchorFile("token", "tsd"), token(published)[:-900])
    put(world, SIZE, AnchorFile("pending", "cala"), right)
    put(world, SIZE, AnchorFile("pending", "calb"), wrong)
    put(world, SIZE, AnchorFile("pending", "calc"), b"x" * 70_000)
    path = written(world, tmp_path)
    _, found = verified(path)

    page = shown(path, opens)

    assert without_words(page.verdict) == without_words(found)
    assert true(page.verdict) == true(found) == {LEDGER_NAME, "tsa", "cala"}
    told = {one["name"]: one["words"] for one in page.verdict["anchors"]}
    assert "whether it signed that was not checked here" in told["tsa"]
    assert "indelible verify --tsa-root" in page.text("#anchors")
    assert "has promised a proof" in told["cala"]
    assert told["tsb"].endswith("the token is for other data")
    assert told["calb"].endswith("the proof is for other data")
    assert page.verdict["valid"] is True, "what is not true here says nothing of the records"


def test_a_proof_that_bitcoin_has_is_only_said_to_be_for_this(opens: Opener, tmp_path: Path) -> None:
    world = grown()
    digest = hashlib.sha256(note_of(world, SIZE).data).digest()
    start = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e892940108")
    put(world, SIZE, AnchorFile("bitcoin", "cal", 900_000), start + digest + b"anything")

    page = shown(written(world, tmp_path), opens)

    assert "whether it leads to Bitcoin block 900,000 was not checked here" in page.text("#anchors")


def test_a_promise_that_is_kept_is_not_told_beside_the_proof(opens: Opener, tmp_path: Path) -> None:
    world = grown()
    digest = hashlib.sha256(note_of(world, SIZE).data).digest()
    calendar = Calendar("http://calendar.example", block_seconds=-1, clock=lambda: float(COSIGNED_AT))
    stamp = read_stamp(calendar(Request("POST", "/digest", "", digest)).body, digest)
    put(world, SIZE, AnchorFile("pending", "cal"), write_detached(stamp))
    height, proof = completed(calendar, stamp, digest)
    put(world, SIZE, AnchorFile("bitcoin", "cal", height), proof)
    path = written(world, tmp_path)

    page = shown(path, opens)

    assert without_words(page.verdict) == without_words(verified(path)[1])
    assert [one["name"] for one in page.verdict["anchors"][1:]] == ["cal"]
