# SPDX-License-Identifier: Apache-2.0
"""POST /v1/export as its callers see it, and the function behind it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from indelible.domain import credentials
from indelible.domain.export_job import FORMS
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.entry import packing, rest
from indelible.entry.exporting import ExportApi
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import Unavailable
from indelible.services.admin_log import AdminLog
from indelible.services.authenticate import Authenticator
from indelible.services.export_acts import ExportActs
from indelible.services.packing import Packer
from tests.fakes.chains import ORG, RETENTION
from tests.fakes.table import FakeOrganisations, FakeSecretSource
from tests.faults.wire import Wire
from tests.unit.entry.tenants import Context
from tests.unit.services.test_export import exporter
from tests.unit.services.test_export_jobs import OTHER, Office

SECRETS = FakeSecretSource()


class Api:
    """The export API of an office, for two organisations."""

    def __init__(self) -> None:
        self.office = Office()
        organisations = FakeOrganisations()
        for org_id in (ORG, OTHER):
            organisations.create(OrgConfig(org_id, "2026-03-01T00:00:00.000Z", (OrgKey("k1", "2026-03-01"),)))
        clock = self.office.world.clock
        authenticator = Authenticator(organisations=organisations, secrets=SECRETS, clock=clock, strict=False)
        self.wire = Wire()
        """What putting acts on record costs."""
        admin_log = AdminLog(
            appender=self.office.world.appender(self.wire),
            organisations=None,
            secrets=SECRETS,
            clock=clock,
            retention=RETENTION,
        )
        self.api = ExportApi(
            gate=RequestGate(authenticator=authenticator, limits=OrgLimits(rate=1, burst=170)),
            jobs=self.office.jobs,
            acts=ExportActs(admin_log=admin_log),
            clock=clock,
        )

    def post(self, arguments: dict[str, Any], *, by: str = ORG) -> tuple[int, dict[str, Any]]:
        full = {"org_id": by, **arguments}
        signature = credentials.sign(full, credentials.hmac_secret(SECRETS.master(), by, "k1"))
        event = {
            "routeKey": "POST /v1/export",
            "headers": {},
            "body": json.dumps({**full, "signature": signature}),
            "isBase64Encoded": False,
        }
        answer = rest.serve(
            event, Context(), api=lambda: self.api, telemetry=PowertoolsTelemetry(), clock=self.office.world.clock
        )
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_range_is_ready_to_be_fetched(api: Api) -> None:
    status, answer = api.post({"start_seq": 2, "end_seq": 8})
    assert status == 200
    assert (answer["status"], answer["format"], answer["records"], answer["valid"]) == ("ready", "bundle", 7, True)
    assert (answer["first_sequence"], answer["last_sequence"], answer["code"]) == (2, 8, None)
    assert answer["sha256"] in answer["url"]
    assert answer["expires_at"] == "2026-03-20T14:37:01.000Z"
    assert answer["kept_until"] == "2026-03-27T14:22:01.481Z"
    assert api.post({"export_id": answer["export_id"]}) == (200, answer)


def test_a_view_comes_with_the_bundle_that_proves_it(api: Api) -> None:
    _, bundle = api.post({"start_seq": 2, "end_seq": 8})
    status, answer = api.post({"start_seq": 2, "end_seq": 8, "format": "csv"})
    assert (status, answer["status"], answer["format"], answer["records"]) == (200, "ready", "csv", 7)
    assert answer["export_id"] != bundle["export_id"]
    assert bundle["proved_by"] is None
    assert answer["proved_by"]["sha256"] == bundle["sha256"] != answer["sha256"]
    for about in (answer, answer["proved_by"]):
        assert hashlib.sha256(api.office.store.fetched(about["url"])).hexdigest() == about["sha256"]
    assert api.post({"export_id": answer["export_id"]}) == (200, answer)


def test_a_form_that_is_not_made_here_names_those_that_are(api: Api) -> None:
    _, answer = api.post({"format": "parquet"})
    assert answer["error"]["message"] == f"allowed: {', '.join(FORMS)}"


def test_another_s_export_is_not_there(api: Api) -> None:
    _, answer = api.post({})
    theirs = api.post({"export_id": answer["export_id"]}, by=OTHER)
    assert theirs == api.post({"export_id": "0" * 32}, by=OTHER) == api.post({"export_id": "x"}, by=OTHER)
    assert (theirs[0], theirs[1]["error"]["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"export_id": "0" * 32, "end_seq": 4}, "INVALID_FIELD", "end_seq"),
        ({"export_id": "0" * 32, "format": "bundle"}, "INVALID_FIELD", "format"),
        ({"start_seq": 4, "end_seq": 3}, "INVALID_FIELD", "end_seq"),
        ({"from": "2026-03-20T00:00:00Z", "to": "2026-03-19T00:00:00Z"}, "INVALID_FIELD", "to"),
        ({"start_seq": 0}, "INVALID_FIELD", "start_seq"),
        ({"format": "parquet"}, "INVALID_FIELD", "format"),
        ({"formt": "bundle"}, "UNKNOWN_FIELD", "formt"),
    ],
)
def test_what_is_not_well_formed(api: Api, arguments: dict[str, Any], code: str, field: str) -> None:
    status, answer = api.post(arguments)
    assert (status, answer["error"]["code"], answer["error"]["field"]) == (400, code, field)


def test_an_empty_range_and_a_share_that_is_used_up(api: Api) -> None:
    assert api.post({"start_seq": 11})[1]["error"]["code"] == "NOT_FOUND"
    assert [api.post({})[0] for _ in range(3)] == [200, 200, 429]


def test_the_function_packs_and_reports_faults() -> None:
    office = Office()
    clock, telemetry = office.world.clock, PowertoolsTelemetry()
    packer = Packer(
        exporter=exporter(office.world), store=office.store, scratch=office.scratch, clock=clock, telemetry=telemetry
    )
    job = msgspec.to_builtins(office.ask(1, 8).job)
    context = Context()
    context.get_remaining_time_in_millis = lambda: 900_000  # type: ignore[method-assign]
    done = packing.pack(job, context, packer=lambda: packer, telemetry=telemetry, clock=clock)
    assert (done["status"], done["records"]) == ("ready", 8)

    def gone() -> Packer:
        raise Unavailable("S3 could not be reached")

    with pytest.raises(Unavailable):
        packing.pack(job, context, packer=gone, telemetry=telemetry, clock=clock)
