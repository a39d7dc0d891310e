# SPDX-License-Identifier: Apache-2.0
"""Asking for exports: the same for the same evidence, found by its owner alone, and never pending for ever."""

from __future__ import annotations

import hashlib
from typing import Any
from unittest.mock import patch

import pytest

from indelible.domain import instants
from indelible.domain.export_job import BUNDLE, FORMS, ExportJob
from indelible.errors import InvalidField, NotFound, Unavailable
from indelible.services import export_jobs
from indelible.services.export_jobs import STALE_MS, ExportJobs
from indelible.services.packing import Packer
from indelible.services.ranges import Range
from indelible.views.formats import VIEWS
from tests.fakes.chains import ORG
from tests.fakes.exports import KEPT_DAYS, FakeExportStore, FakePackers
from tests.fakes.unpacked import MemoryScratch, Unpacked
from tests.fakes.world import World
from tests.unit.services.test_export import exporter

OTHER = "globex"


class Office:
    """A ledger of ten records, eight of them under a checkpoint, and the exports of it."""

    def __init__(self) -> None:
        self.world = World()
        self.world.record(*range(1, 9))
        self.world.anchored()
        self.world.record(9, 10)
        self.store = FakeExportStore(self.world.clock)
        self.scratch = MemoryScratch()
        packer = Packer(
            exporter=exporter(self.world),
            store=self.store,
            scratch=self.scratch,
            clock=self.world.clock,
            telemetry=self.world.telemetry,
        )
        self.deadline_ms = 60_000
        self.packers = FakePackers(lambda job: packer.run(job, deadline_ms=self.world.clock.now + self.deadline_ms))
        self.jobs = ExportJobs(
            records=self.world.records,
            journal=self.world.journal,
            files=self.world.files,
            store=self.store,
            packers=self.packers,
            clock=self.world.clock,
        )

    def ask(
        self, start: int | None = None, end: int | None = None, *, form: str = BUNDLE, **more: int
    ) -> export_jobs.ExportState:
        asked = Range(start_seq=start, end_seq=end, **more)
        return self.jobs.ask(ORG, asked, deadline_ms=self.world.clock.now + 27_000, form=form)

    def fetched(self, state: export_jobs.ExportState) -> bytes:
        url = self.jobs.url(state, expires_in_s=60)
        assert url is not None
        return self.store.fetched(url)


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_short_range_is_ready_at_once(office: Office) -> None:
    state = office.ask(2, 8)
    assert (state.status, state.records, state.valid) == ("ready", 7, True)
    assert state.sha256 is not None
    data = office.fetched(state)
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (state.sha256, state.size)
    assert Unpacked.of(data).manifest["records"] == 7
    assert state.kept_until_ms == office.world.clock.now + KEPT_DAYS * 86_400_000
    assert office.world.telemetry.counts["RecordsExported"] == 7
    assert office.jobs.bundle_url(state, expires_in_s=60) is None, "it proves itself"


def test_asking_again_gives_the_same_and_packs_once(office: Office) -> None:
    first = office.ask(2, 8)
    office.world.record(11)
    assert office.ask(2, 8) == first
    assert len(office.packers.started) == 1


def test_an_open_end_is_the_last_sealed_record(office: Office) -> None:
    assert office.ask().job == ExportJob(org_id=ORG, first=1, last=10)
    office.world.record(11)
    assert office.ask(5).job.last == 11
    office.world.anchored()
    assert office.ask(5).job.covered_by == 11, "what covers the end belongs to the evidence"


def test_what_is_not_sealed_yet_is_left_for_the_next(office: Office) -> None:
    key = office.world.administrator.key_of(ORG, 10)
    office.world.administrator.remove(key)
    assert office.ask().job.last == 9


def test_a_table_that_went_back_hides_nothing(office: Office) -> None:
    office.world.administrator.set_head(ORG, office.world.sealed()[4].head)
    assert office.ask().job.last == 10


def test_by_time(office: Office) -> None:
    sealed = office.world.sealed()
    instant = sealed[8].timestamp_ms
    state = office.ask(from_ms=instant)
    assert state.job.first == next(one.sequence for one in sealed if one.timestamp_ms >= instant)
    with pytest.raises(NotFound):
        office.ask(to_ms=sealed[0].timestamp_ms - 1)
    assert office.ask(to_ms=instants.MAX_MS).job.last == 10


@pytest.mark.parametrize("asked", [(11, None), (12, 20)])
def test_an_empty_range(office: Office, asked: tuple[int, int | None]) -> None:
    with pytest.raises(NotFound):
        office.ask(*asked)


def test_a_long_range_is_pending_until_it_is_packed(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_jobs, "AT_ONCE", 3)
    pending = office.ask(1, 8)
    assert (pending.status, office.jobs.url(pending, expires_in_s=60)) == ("pending", None)
    assert office.jobs.find(ORG, pending.job.export_id).status == "pending"
    assert office.ask(1, 8) == pending
    assert len(office.packers.started) == 1
    office.packers.work()
    assert office.jobs.find(ORG, pending.job.export_id).status == "ready"


def test_one_that_takes_longer_than_the_answer_may(office: Office) -> None:
    office.packers.slow = True
    assert office.ask(1, 8).status == "pending"
    office.packers.work()
    assert office.ask(1, 8).status == "ready"


def test_too_long_for_one_export(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_jobs, "MOST_RECORDS", 5)
    with pytest.raises(InvalidField) as refused:
        office.ask()
    assert refused.value.field == "end_seq"


@pytest.mark.parametrize("asked", ["0" * 32, "A" * 32, "../../acme-corp", "", "é" * 32])
def test_what_is_no_export_is_not_found(office: Office, asked: str) -> None:
    with pytest.raises(NotFound):
        office.jobs.find(ORG, asked)


def test_another_organisation_s_export_is_not_found(office: Office) -> None:
    mine = office.ask(1, 8)
    with pytest.raises(NotFound) as theirs:
        office.jobs.find(OTHER, mine.job.export_id)
    with pytest.raises(NotFound) as nobody_s:
        office.jobs.find(OTHER, "0" * 32)
    assert theirs.value.as_dict() == nobody_s.value.as_dict()


def test_a_run_that_was_cut_off_is_a_failure_and_can_be_begun_again(office: Office) -> None:
    office.packers.slow = True
    pending = office.ask(1, 8)
    office.world.clock.advance(STALE_MS + 1)
    found = office.jobs.find(ORG, pending.job.export_id)
    assert (found.status, found.code) == ("failed", "UNAVAILABLE")
    office.packers.slow = False
    assert office.ask(1, 8).status == "ready"


def test_a_function_that_cannot_be_started(office: Office) -> None:
    office.packers.refuses = Unavailable("Lambda did not take the request")
    with pytest.raises(Unavailable):
        office.ask(1, 8)
    office.packers.refuses = None
    assert office.ask(1, 8).status == "ready"


def test_a_fault_in_starting_it_is_a_failure_at_once(office: Office) -> None:
    """Say that the role may not invoke the function: nobody waits for an export that does not come."""

    def denied(*_: object, **__: object) -> bool:
        raise PermissionError("AccessDenied")

    with patch.object(FakePackers, "pack", denied), pytest.raises(PermissionError):
        office.ask(1, 8)
    assert office.ask(1, 8).status == "ready"


def test_an_answer_that_was_lost_leaves_a_finished_export_ready(office: Office) -> None:
    pack = FakePackers.pack

    def lost(*given: Any, **more: Any) -> bool:
        pack(*given, **more)
        raise Unavailable("Lambda could not be reached")

    with patch.object(FakePackers, "pack", lost), pytest.raises(Unavailable):
        office.ask(1, 8)
    assert office.ask(1, 8).status == "ready"
    assert len(office.packers.started) == 1


def test_two_who_ask_at_once_start_one(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.packers.slow = True
    monkeypatch.setattr(FakeExportStore, "state", lambda *_: None)  # as both see it who ask before anything is noted
    assert [office.ask(1, 8).status, office.ask(1, 8).status] == ["pending", "pending"]
    assert len(office.packers.started) == 1


def test_what_goes_wrong_is_noted(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.deadline_ms = 0
    state = office.ask(1, 8)
    assert (state.status, state.code) == ("failed", "TOO_LARGE")
    assert office.world.telemetry.counts["ExportFailures"] == 1

    def gone(*_: object, **__: object) -> None:
        raise Unavailable("S3 could not be reached")

    office.deadline_ms = 60_000
    monkeypatch.setattr(office.store.__class__, "put_file", gone)
    with pytest.raises(Unavailable):
        office.ask(1, 8)
    assert office.jobs.find(ORG, state.job.export_id).code == "UNAVAILABLE"


def test_an_export_that_is_gone_is_made_again(office: Office) -> None:
    first = office.ask(1, 8)
    office.world.clock.advance(KEPT_DAYS * 86_400_000)
    again = office.ask(1, 8)
    assert (again.sha256, len(office.packers.started)) == (first.sha256, 2)


def test_a_broken_range_is_packed_and_called_so(office: Office) -> None:
    key = office.world.administrator.key_of(ORG, 4)
    office.world.administrator.rewrite(key, office.world.sealed()[3].data.replace(b'"number":4', b'"number":5'))
    state = office.ask(1, 8)
    assert (state.status, state.valid) == ("ready", False)


def test_the_forms_are_those_that_can_be_made() -> None:
    assert set(FORMS) == {BUNDLE, *VIEWS}


@pytest.mark.parametrize("form", VIEWS)
def test_a_view_names_the_bundle_that_is_kept_beside_it(office: Office, form: str) -> None:
    state = office.ask(2, 8, form=form)
    assert (state.status, state.records, state.valid) == ("ready", 7, True)
    view = office.fetched(state)
    assert (hashlib.sha256(view).hexdigest(), len(view)) == (state.sha256, state.size)
    assert state.bundle_sha256 is not None
    assert state.bundle_sha256.encode() in view
    url = office.jobs.bundle_url(state, expires_in_s=60)
    assert url is not None
    bundle = office.store.fetched(url)
    assert hashlib.sha256(bundle).hexdigest() == state.bundle_sha256 == office.ask(2, 8).sha256
    assert Unpacked.of(bundle).manifest["records"] == 7
    assert office.scratch.open == 0


def test_a_view_and_a_bundle_of_one_range_are_two_exports(office: Office) -> None:
    assert office.ask(1, 8).job.export_id != office.ask(1, 8, form="csv").job.export_id
    assert office.ask(1, 8, form="csv") == office.ask(1, 8, form="csv")
    assert len(office.packers.started) == 2


def test_a_view_is_kept_no_longer_than_what_proves_it(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    put_file = FakeExportStore.put_file

    def earlier(*given: Any, form: str, **more: Any) -> int:
        """A run that was cut off had stored the bundle an hour ago."""
        return put_file(*given, form=form, **more) - (3_600_000 if form == BUNDLE else 0)

    monkeypatch.setattr(FakeExportStore, "put_file", earlier)
    state = office.ask(1, 8, form="csv")
    assert state.kept_until_ms == office.world.clock.now + KEPT_DAYS * 86_400_000 - 3_600_000


def test_a_view_that_takes_too_long(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*given: Any, **more: Any) -> int:
        office.world.clock.advance(office.deadline_ms)
        return 0

    monkeypatch.setattr(FakeExportStore, "put_file", slow)
    state = office.ask(1, 8, form="csv")
    assert (state.status, state.code) == ("failed", "TOO_LARGE")
    assert office.scratch.open == 0
