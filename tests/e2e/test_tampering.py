# SPDX-License-Identifier: Apache-2.0
"""Everything that the account's administrator can do to a chain is named, with its place (architecture §6).

Each case has an organisation of its own. What Object Lock refuses is shown to be refused; a chain that would need
the refused step is written with the harm already in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from indelible.domain.record import Head, Record
from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.forge import Forge, earlier, lock_of, rewritten
from tests.e2e.helpers.tenant import Tenant, events, fresh, named

Named = list[tuple[str, int | None]]


def _broken(org: Tenant, expected: Named, **asked: Any) -> dict[str, Any]:
    verdict = org.verify(**asked)
    assert named(verdict) == expected
    assert verdict["valid"] is False
    assert verdict["failures_total"] == len(expected)
    assert verdict["first_broken_at"] == min(sequence for _, sequence in expected if sequence is not None)
    assert all(failure["detail"] for failure in verdict["failures"])
    return verdict


# -- over sealed records: S3 allows it, and the sealed version is still there ----------------------------


@pytest.fixture
def recorded(ledger: Outputs) -> tuple[Tenant, Admin, list[dict[str, Any]]]:
    org = fresh(ledger, "tampered")
    return org, Admin.of(ledger), org.record_batch(events(7))


def test_a_changed_byte_laid_over_a_record(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    third = receipts[2]
    newer = admin.overlay(third["s3_key"], admin.body(third["s3_key"]).replace(b'"number":3', b'"number":4'))
    verdict = _broken(org, [("SHADOWED", 3)])
    (failure,) = verdict["failures"]
    assert (failure["s3_key"], failure["version_id"]) == (third["s3_key"], third["s3_version_id"])
    assert newer in failure["found"]
    assert verdict["entries_checked"] == 7


def test_an_identical_copy_laid_over_a_record(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    admin.overlay(receipts[6]["s3_key"], admin.body(receipts[6]["s3_key"]))
    _broken(org, [("SHADOWED", 7)])


def test_a_record_behind_a_delete_marker(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    marker = admin.hide(receipts[4]["s3_key"])
    assert receipts[4]["s3_key"] not in admin.keys(org.org_id)
    verdict = _broken(org, [("SHADOWED", 5)])
    assert marker in verdict["failures"][0]["found"]
    assert verdict["entries_checked"] == 7


def test_a_whole_chain_behind_delete_markers(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    for receipt in receipts:
        admin.hide(receipt["s3_key"])
    assert admin.keys(org.org_id) == []
    assert _broken(org, [("SHADOWED", n) for n in range(1, 8)])["entries_checked"] == 7


def test_several_things_at_once_are_all_named(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    admin.overlay(receipts[5]["s3_key"], b"{}")
    admin.hide(receipts[5]["s3_key"])
    admin.hide(receipts[1]["s3_key"])
    verdict = _broken(org, [("SHADOWED", 2), ("SHADOWED", 6)])
    assert "delete marker" in verdict["failures"][1]["found"]
    assert _broken(org, [("SHADOWED", 2)], end_seq=5)["entries_checked"] == 5
    assert org.verify(start_seq=3, end_seq=5)["valid"] is True


# -- what the lock refuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "code"),
    [
        (lambda s3, which, _: s3.delete_object(**which), "AccessDenied"),
        (lambda s3, which, _: s3.delete_object(**which, BypassGovernanceRetention=True), "AccessDenied"),
        (
            lambda s3, which, until: s3.put_object_retention(
                **which, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until.replace(year=until.year - 1)}
            ),
            "AccessDenied",
        ),
        (
            lambda s3, which, until: s3.put_object_retention(
                **which, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}, BypassGovernanceRetention=True
            ),
            "AccessDenied",
        ),
        (
            lambda s3, which, _: s3.put_object(Bucket=which["Bucket"], Key=which["Key"], Body=b"{}", IfNoneMatch="*"),
            "PreconditionFailed",
        ),
    ],
    ids=["delete", "delete with bypass", "shorten retention", "weaken mode", "create over it"],
)
def test_the_lock_refuses(
    recorded: tuple[Tenant, Admin, list[dict[str, Any]]], attempt: Callable[..., Any], code: str
) -> None:
    org, admin, receipts = recorded
    which = {"Bucket": admin.bucket, "Key": receipts[0]["s3_key"], "VersionId": receipts[0]["s3_version_id"]}
    until = admin.s3.get_object_retention(**which)["Retention"]["RetainUntilDate"]
    with pytest.raises(ClientError) as refused:
        attempt(admin.s3, which, until)
    assert refused.value.response["Error"]["Code"] == code
    assert org.verify()["valid"] is True


def test_a_longer_retention_is_no_harm(recorded: tuple[Tenant, Admin, list[dict[str, Any]]]) -> None:
    org, admin, receipts = recorded
    which = {"Bucket": admin.bucket, "Key": receipts[0]["s3_key"], "VersionId": receipts[0]["s3_version_id"]}
    until = admin.s3.get_object_retention(**which)["Retention"]["RetainUntilDate"]
    longer = {"Mode": "COMPLIANCE", "RetainUntilDate": until.replace(year=until.year + 1)}
    admin.s3.put_object_retention(**which, Retention=longer)
    assert org.verify()["valid"] is True


# -- chains with the harm already in them ----------------------------------------------------------------


@pytest.fixture
def org(ledger: Outputs) -> Tenant:
    return fresh(ledger, "harmed")


@pytest.fixture
def forge(org: Tenant) -> Forge:
    return Forge(Admin.of(org.ledger), org.org_id)


def _write(forge: Forge, chain: list[Record], *, without: tuple[int, ...] = ()) -> list[Record]:
    forge.commit(chain)
    forge.seal(chain, without=without)
    return chain


@pytest.mark.parametrize(
    ("without", "expected", "through"),
    [
        ((3,), [("MISSING", 3)], [None]),
        ((1,), [("MISSING", 1)], [None]),
        ((2, 3, 4), [("MISSING", 2)], [4]),
        ((2, 5), [("MISSING", 2), ("MISSING", 5)], [None, None]),
        ((7,), [("TRUNCATED", 7)], [None]),
        ((5, 6, 7), [("TRUNCATED", 5)], [7]),
        ((2, 6, 7), [("MISSING", 2), ("TRUNCATED", 6)], [None, 7]),
        ((1, 2, 3, 4, 5, 6, 7), [("TRUNCATED", 1)], [7]),
    ],
    ids=["middle", "first", "run", "two", "last", "last three", "middle and end", "all"],
)
def test_missing_records(
    org: Tenant, forge: Forge, without: tuple[int, ...], expected: Named, through: list[int | None]
) -> None:
    _write(forge, forge.build(7), without=without)
    verdict = _broken(org, expected)
    assert [failure.get("through") for failure in verdict["failures"]] == through
    assert verdict["entries_checked"] == 7 - len(without)


def test_a_record_that_was_never_locked_and_then_deleted(org: Tenant, forge: Forge) -> None:
    chain = forge.build(5)
    forge.commit(chain)
    with forge.admin.no_default_lock():
        version = forge.put(chain[2].s3_key, chain[2].data)
        forge.seal(chain, without=[3])
        _broken(org, [("UNLOCKED", 3)])
        forge.admin.s3.delete_object(Bucket=forge.admin.bucket, Key=chain[2].s3_key, VersionId=version)
    _broken(org, [("MISSING", 3)])


def test_a_shorter_or_weaker_lock(org: Tenant, forge: Forge) -> None:
    chain = forge.build(5)
    forge.commit(chain)
    forge.seal(chain, without=[2, 4])
    forge.put(chain[1].s3_key, chain[1].data, **lock_of(chain[1], shorter_ms=1000))
    forge.put(chain[3].s3_key, chain[3].data, **lock_of(chain[3], mode="GOVERNANCE"))
    verdict = _broken(org, [("UNLOCKED", 2), ("UNLOCKED", 4)])
    assert verdict["failures"][0]["expected"].startswith("COMPLIANCE until ")
    assert verdict["failures"][1]["found"].startswith("GOVERNANCE until ")


def test_two_records_for_one_sequence(org: Tenant, forge: Forge) -> None:
    chain = _write(forge, forge.build(5))
    (second,) = forge.build(1, chain[1].head, now_ms=chain[2].timestamp_ms)
    forge.records.seal(second)
    verdict = _broken(org, [("FORK", 3)])
    assert verdict["failures"][0]["s3_key"] == max(second.s3_key, chain[2].s3_key)


def test_a_second_last_record(org: Tenant, forge: Forge) -> None:
    chain = _write(forge, forge.build(3))
    (second,) = forge.build(1, chain[1].head, now_ms=chain[2].timestamp_ms)
    forge.records.seal(second)
    failures = named(org.verify())
    assert ("FORK", 3) in failures
    assert {sequence for _, sequence in failures} == {3}


def test_a_rewritten_record_breaks_the_next_link(org: Tenant, forge: Forge) -> None:
    chain = forge.build(5)
    changed = rewritten(chain[2], b'"number":2', b'"number":9')
    forge.commit(chain)
    forge.seal([*chain[:2], changed, *chain[3:]])
    verdict = _broken(org, [("BROKEN_LINK", 4)])
    failure = verdict["failures"][0]
    assert (failure["expected"], failure["found"]) == (changed.tx_hash, chain[2].tx_hash)


def test_a_rewritten_last_record_is_not_what_the_head_promised(org: Tenant, forge: Forge) -> None:
    chain = forge.build(5)
    changed = rewritten(chain[4], b'"number":4', b'"number":9')
    forge.commit(chain)
    forge.seal([*chain[:4], changed])
    _broken(org, [("CONTENT_MISMATCH", 5)])


def test_history_rewritten_to_its_end_is_not_what_the_head_promised(org: Tenant, forge: Forge) -> None:
    chain = forge.build(5)
    forge.commit(chain)
    other = forge.build(3, chain[1].head, now_ms=chain[2].timestamp_ms)
    forge.seal([*chain[:2], *other])
    _broken(org, [("CONTENT_MISMATCH", 5)])


def test_a_record_under_the_key_of_another(org: Tenant, forge: Forge) -> None:
    chain = forge.build(4)
    forge.commit(chain)
    forge.seal(chain, without=[3])
    forge.put(chain[2].s3_key, chain[1].data, **lock_of(chain[2]))
    failures = named(org.verify())
    assert ("CONTENT_MISMATCH", 3) in failures
    assert {sequence for _, sequence in failures} <= {3, 4}


def test_time_that_runs_backwards(org: Tenant, forge: Forge) -> None:
    one, two = forge.build(2)
    back: Head = earlier(two.head, 5_000)
    (three,) = forge.build(1, back, now_ms=back.timestamp_ms)
    (four,) = forge.build(1, three.head, now_ms=two.timestamp_ms)
    _write(forge, [one, two, three, four])
    _broken(org, [("TIME_REVERSED", 3)])


def test_objects_that_are_no_records(org: Tenant, forge: Forge) -> None:
    chain = forge.build(4)
    forge.commit(chain)
    forge.seal(chain, without=[2])
    forge.put(chain[1].s3_key, b"PK\x03\x04 not a record", **lock_of(chain[1]))
    forge.put(f"{org.org_id}/0-readme.txt", b"hello", **lock_of(chain[1]))
    failures = named(org.verify())
    assert ("UNKNOWN_FORMAT", 2) in failures
    assert ("UNKNOWN_FORMAT", None) in failures


def test_a_format_of_tomorrow(org: Tenant, forge: Forge) -> None:
    chain = forge.build(3)
    forge.commit(chain)
    forge.seal(chain, without=[3])
    tomorrow = chain[2].data.replace(b"indelible/record@v1", b"indelible/record@v9")
    forge.put(chain[2].s3_key, tomorrow, **lock_of(chain[2]))
    failures = named(org.verify())
    assert ("UNKNOWN_FORMAT", 3) in failures
    assert {sequence for _, sequence in failures} == {3}


def test_one_organisations_harm_is_nobody_elses(ledger: Outputs, org: Tenant, forge: Forge) -> None:
    neighbour = fresh(ledger, f"{org.org_id[:40]}-more")  # its keys share a prefix with the harmed one's name
    neighbour.record_batch(events(3))
    _write(forge, forge.build(3), without=(2,))
    _broken(org, [("MISSING", 2)])
    assert neighbour.verify()["valid"] is True
