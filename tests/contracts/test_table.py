# SPDX-License-Identifier: Apache-2.0
"""Index, News and Organisations."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indelible.domain.organisation import OrgConfig, OrgKey
from tests.contracts.conftest import Adapters
from tests.contracts.paging import through
from tests.fakes.chains import ORG, build_chain
from tests.fakes.machine import MIDNIGHT

CHAIN = build_chain(130)
CREATED = "2026-03-20T00:00:00.000Z"
ACME = OrgConfig(ORG, CREATED, (OrgKey("k1", CREATED),))


def recent(adapters: Adapters, now_ms: int) -> list[str]:
    (page,) = through(lambda after: adapters.news.recent(now_ms, after, limit=100))
    return page


def test_the_index_finds_within_one_organisation(adapters: Adapters) -> None:
    adapters.index.put(CHAIN[0])
    adapters.index.put(CHAIN[0])

    assert adapters.index.find(ORG, CHAIN[0].tx_hash) == CHAIN[0].audit_id
    assert adapters.index.find("globex", CHAIN[0].tx_hash) is None
    assert adapters.index.find(ORG, CHAIN[1].tx_hash) is None


def test_the_index_is_repaired_and_says_how_much_was_missing(adapters: Adapters) -> None:
    adapters.index.put(CHAIN[3])

    assert adapters.index.repair(CHAIN) == 129
    assert adapters.index.repair(CHAIN) == 0
    assert adapters.index.repair([]) == 0
    assert [adapters.index.find(ORG, entry.tx_hash) for entry in CHAIN[::40]] == [e.audit_id for e in CHAIN[::40]]


def test_news_is_heard_for_a_quarter_of_an_hour(adapters: Adapters) -> None:
    for org_id in ("globex", ORG, ORG):
        adapters.news.mark(org_id, MIDNIGHT)

    assert recent(adapters, MIDNIGHT) == [ORG, "globex"]
    assert recent(adapters, MIDNIGHT + 15 * 60_000) == [ORG, "globex"]
    assert recent(adapters, MIDNIGHT + 60 * 60_000) == []


@pytest.mark.parametrize("offset_ms", [0, 1, 299_999, 300_000, 12 * 60_000])
def test_news_is_not_lost_where_its_buckets_meet(adapters: Adapters, offset_ms: int) -> None:
    marked = MIDNIGHT + offset_ms
    adapters.news.mark(ORG, marked)

    for later in (0, 60_000, 300_000, 14 * 60_000, 15 * 60_000):
        assert recent(adapters, marked + later) == [ORG], f"{later} ms later"


def test_news_of_many(adapters: Adapters) -> None:
    names = sorted(f"org-{number}" for number in range(30))
    for name in names:
        adapters.news.mark(name, MIDNIGHT)

    assert recent(adapters, MIDNIGHT) == names


@pytest.mark.parametrize("limit", [1, 7, 29, 30, 31])
def test_news_comes_in_pages_and_everybody_in_one_of_them(adapters: Adapters, limit: int) -> None:
    names = sorted(f"org-{number}" for number in range(30))
    for number, name in enumerate(names):
        adapters.news.mark(name, MIDNIGHT)
        adapters.news.mark(name, MIDNIGHT + number % 3 * 300_000)

    pages = through(lambda after: adapters.news.recent(MIDNIGHT + 600_000, after, limit=limit))

    assert max(map(len, pages)) == min(limit, 30)
    assert sorted(name for page in pages for name in page) == names


def test_a_round_that_takes_long_still_reads_the_news_that_it_began_with(adapters: Adapters) -> None:
    names = sorted(f"org-{number}" for number in range(9))
    for name in names:
        adapters.news.mark(name, MIDNIGHT)
    hours = iter(range(100))

    pages = through(lambda after: adapters.news.recent(MIDNIGHT + next(hours) * 3_600_000, after, limit=2))

    assert sorted(name for page in pages for name in page) == names


def test_an_organisation_is_registered_once(adapters: Adapters) -> None:
    organisations = adapters.organisations()

    assert organisations.create(ACME)
    assert organisations.create(ACME), "again, as after an answer that was lost"
    assert not organisations.create(replace(ACME, keys=(OrgKey("other", CREATED),)))
    assert adapters.organisations().get(ORG) == ACME
    assert adapters.organisations().get("globex") is None


def test_a_change_needs_what_was_there(adapters: Adapters) -> None:
    organisations = adapters.organisations()
    organisations.create(ACME)
    rotated = replace(ACME, keys=(*ACME.keys, OrgKey("k2", CREATED)))
    disabled = replace(rotated, disabled_at=CREATED)

    assert organisations.replace(ACME, rotated)
    assert organisations.replace(ACME, rotated), "again, as after an answer that was lost"
    assert not organisations.replace(ACME, disabled)
    assert organisations.get(ORG) == rotated
    assert organisations.replace(rotated, disabled)
    assert not organisations.create(ACME), "a disabled name stays taken"
    found = adapters.organisations().get(ORG)
    assert found == disabled
    assert found.active_keys() == ()


def test_a_change_to_somebody_unknown_changes_nothing(adapters: Adapters) -> None:
    organisations = adapters.organisations()

    assert not organisations.replace(ACME, replace(ACME, disabled_at=CREATED))
    assert adapters.organisations().get(ORG) is None


def test_everything_in_a_config_comes_back(adapters: Adapters) -> None:
    full = OrgConfig(
        ORG,
        CREATED,
        (OrgKey("k1", CREATED, disabled_at=CREATED), OrgKey("k2", CREATED)),
        retention_days=3650,
        principals=("arn:aws:iam::123456789012:role/recorder", "arn:aws:iam::123456789012:user/team/ann"),
    )
    adapters.organisations().create(full)

    found = adapters.organisations().get(ORG)

    assert found == full
    assert [key.key_id for key in found.active_keys()] == ["k2"]


def test_all_are_listed_in_order_disabled_ones_too(adapters: Adapters) -> None:
    organisations = adapters.organisations()
    for name in ("globex", "acme-corp", "initech"):
        organisations.create(replace(ACME, org_id=name))
    organisations.replace(replace(ACME, org_id="globex"), replace(ACME, org_id="globex", disabled_at=CREATED))

    assert list(organisations.all()) == ["acme-corp", "globex", "initech"]
    for limit in (1, 2, 3, 4):
        pages = through(lambda after, limit=limit: organisations.page(after, limit=limit))
        assert [name for page in pages for name in page] == ["acme-corp", "globex", "initech"]
        assert max(map(len, pages)) == min(limit, 3)


def test_nobody_is_a_page_too(adapters: Adapters) -> None:
    assert adapters.organisations().page(None, limit=5).names == ()
    assert adapters.news.recent(MIDNIGHT, None, limit=5).names == ()


def test_who_is_registered(adapters: Adapters) -> None:
    adapters.organisations().create(ACME)

    assert adapters.organisations().registered(ORG)
    assert not adapters.organisations().registered("globex")


def test_a_change_by_somebody_else_is_seen_within_a_minute(adapters: Adapters) -> None:
    reader, writer = adapters.organisations(), adapters.organisations()
    assert reader.get(ORG) is None
    writer.create(ACME)
    adapters.clock.advance(60_000)
    assert reader.get(ORG) == ACME
    disabled = replace(ACME, disabled_at=CREATED)
    writer.replace(ACME, disabled)
    adapters.clock.advance(60_000)
    assert reader.get(ORG) == disabled
