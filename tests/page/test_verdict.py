# SPDX-License-Identifier: Apache-2.0
"""The page comes to the verdict of the ledger's own verifier: of the same bytes, the same codes at the same places."""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from typing import Any

import pytest

from indelible.domain.chain import ChainChecker
from indelible.domain.findings import ExpectedHash, Failure, FailureCode, in_order
from indelible.page.parts import PageParts
from tests.fakes.chains import stored_objects
from tests.fakes.records import FakeRecords
from tests.page import samples
from tests.page.conftest import Opener
from tests.page.samples import chain, parts_of
from tests.page.test_held import hold
from tests.vectors import load

UNSEEN = {FailureCode.SHADOWED, FailureCode.UNLOCKED}
"""A page is a copy: it shows neither versions nor locks."""


def as_the_page_says(failure: Failure) -> dict[str, Any]:
    """A failure in the members of the page's JSON."""
    return {
        "code": failure.code.value,
        "sequence": failure.sequence,
        "detail": failure.detail,
        "through": failure.through,
        "s3_key": failure.s3_key,
        "version_id": failure.version_id,
        "expected": failure.expected,
        "found": failure.found,
    }


@pytest.mark.parametrize("name", load.chain_names())
def test_every_mutation_of_the_catalogue_gets_the_verdict_of_the_chain_checker(name: str, opens: Opener) -> None:
    vector = load.vectors(f"chains/{name}.json")
    seen, head = stored_objects(FakeRecords(load.bucket_of(vector))), load.head_of(vector)
    checker = ChainChecker(vector["org_id"], locks=False)
    checker.expect(ExpectedHash(head.sequence, head.tx_hash, "a receipt"))
    for stored_object in seen:
        checker.observe(stored_object)
    checker.finish()
    expected = [as_the_page_says(failure) for failure in in_order(checker.failures) if failure.code not in UNSEEN]

    page = opens(PageParts(ledger_name="indelible", org_id=vector["org_id"], first_sequence=1, records=seen))
    hold(page, {"sequence": head.sequence, "tx_hash": head.tx_hash})

    assert page.verdict["failures"] == expected
    assert page.verdict["valid"] is (not expected)
    assert page.verdict["entries_checked"] == checker.entries_checked
    places = [failure["sequence"] for failure in expected if failure["sequence"] is not None]
    assert page.verdict["first_broken_at"] == min(places, default=None)
    assert not page.complaints


@pytest.mark.parametrize(("count", "seconds"), [(10, 5), (1_000, 10), (20_000, 30)])
def test_a_whole_chain_of_any_size_is_valid(count: int, seconds: int, opens: Opener) -> None:
    sizes = [*range(count // 7, count, max(count // 7, 1)), count]
    parts = parts_of(chain(count), sizes=sizes)

    began = time.monotonic()
    page = opens(parts)
    took = time.monotonic() - began

    verdict = page.verdict
    assert (verdict["valid"], verdict["failures"], verdict["entries_checked"]) == (True, [], count)
    assert verdict["checkpoint"]["tree_size"] == count
    assert took < seconds
    assert page.text("#verdict-headline") == "Valid"
    assert page.page.locator("#list [role=row]").count() < 60, "only what is in sight exists"


def test_a_range_from_the_middle_is_held_against_the_roots_around_it(opens: Opener) -> None:
    parts = parts_of(chain(700), first=300, last=480, sizes=[200, 300, 401, 477, 650])

    verdict = opens(parts).verdict

    assert (verdict["valid"], verdict["entries_checked"], verdict["checkpoint"]["tree_size"]) == (True, 181, 650)


def test_a_wrong_tree_around_the_range_is_not_believed(opens: Opener) -> None:
    parts = parts_of(chain(700), first=300, last=480, sizes=[200, 401, 650])
    left = tuple(replace(each, root=hashlib.sha256(each.root).digest()) for each in parts.left)
    right = tuple(replace(each, root=hashlib.sha256(each.root).digest()) for each in parts.right)

    assert opens(replace(parts, left=left)).codes == [("CHECKPOINT_MISMATCH", 401)]
    assert opens(replace(parts, right=right)).codes == [("CHECKPOINT_MISMATCH", 650)]
    assert opens(replace(parts, left=parts.left[:-1])).codes == [("CHECKPOINT_MISMATCH", 401)]


def test_a_range_without_its_predecessor_or_with_another_one_is_not_valid(opens: Opener) -> None:
    parts = parts_of(chain(60), first=30, last=40)

    assert opens(replace(parts, predecessor=None)).codes == [("MISSING", 29)]
    assert opens(replace(parts, predecessor=chain(60)[27].data)).codes == [("BROKEN_LINK", 30)]


def test_a_chain_that_was_written_anew_fails_against_the_signed_roots(opens: Opener) -> None:
    parts = parts_of(chain(40), sizes=[10, 30])
    forged: list[samples.Record] = list(chain(40)[:20])
    for old in chain(40)[20:]:
        event = {"event_type": "AGENT_DECISION", "action": "approve", "payload": {"instead_of": old.sequence}}
        forged.append(
            samples.sealed(event, head=forged[-1].head, now_ms=old.timestamp_ms, random=samples.Random(old.sequence))
        )

    page = opens(replace(parts, records=[samples.stored_object(one) for one in forged]))

    assert page.codes == [("CHECKPOINT_MISMATCH", 30)]
    assert "signed roots confirm those up to 10" in page.text("#verdict-text")


def test_an_empty_range_is_nothing_to_be_proud_of(opens: Opener) -> None:
    empty = replace(parts_of(chain(10)), records=[], last_sequence=None)

    page = opens(empty)

    assert (page.verdict["valid"], page.verdict["entries_checked"]) == (True, 0)
    assert "no record" in page.text("#verdict-text")
    hold(page, samples.receipt(chain(10)[-1]))
    assert page.codes == [("TRUNCATED", 1)]
