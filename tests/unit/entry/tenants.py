# SPDX-License-Identifier: Apache-2.0
"""Two organisations behind REST and MCP, on the in-memory world, with every key written down that is asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from indelible.domain import credentials
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.entry import mcp, rest
from indelible.entry.env import Settings
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.entry.mcp import McpServer
from indelible.entry.proving import ProofApi
from indelible.entry.recording import RecordApi
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.entry.verifying import VerifyApi
from indelible.services.append import Appender
from indelible.services.authenticate import Authenticator
from indelible.services.consistency import Consistency
from indelible.services.prove import Prover
from indelible.services.schemes import Hmac, Iam, Jwt, Scheme
from indelible.services.timetable import Timetable
from indelible.services.verify import Verifier
from tests.fakes.machine import SeededEntropy, SequentialWorkers
from tests.fakes.table import FakeOrganisations, FakeSecretSource
from tests.fakes.world import World
from tests.unit.entry.mcp_world import Context

CREATED = "2026-01-01T00:00:00.000Z"
OURS, THEIRS = "acme-corp", "globex"
SECRETS = FakeSecretSource()
TOOLS = {
    "POST /v1/record": "record_audit_event",
    "POST /v1/prove": "get_audit_proof",
    "POST /v1/verify": "verify_chain",
}
EVENT = {"event_type": "AGENT_DECISION", "payload": {"decision": "APPROVED"}}
SCHEMES: dict[str, Scheme] = {"hmac": Hmac(), "jwt": Jwt(org_claim="org_id"), "iam": Iam()}


@dataclass
class Spy:
    """Stands before a port, and keeps the arguments of every call."""

    port: Any
    asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            self.asked.append((name, arguments, named))
            return getattr(self.port, name)(*arguments, **named)

        return call


class Tenants:
    """`auth` is the ledger's. Without `THEIRS`, the ledger never had that organisation."""

    def __init__(self, auth: str = "hmac", *, theirs: bool = True) -> None:
        self.auth = auth
        self.world = World()
        self.records, self.index, self.journal = (
            Spy(port) for port in (self.world.records, self.world.index, self.world.journal)
        )
        organisations = FakeOrganisations()
        for org_id in (OURS, THEIRS) if theirs else (OURS,):
            organisations.create(
                OrgConfig(org_id, CREATED, (OrgKey("k1", CREATED),), principals=(self.principal(org_id),))
            )
        authenticator = Authenticator(
            organisations=organisations,
            secrets=SECRETS,
            clock=self.world.clock,
            strict=False,
            scheme=SCHEMES[auth],
        )
        gate = RequestGate(authenticator=authenticator, limits=OrgLimits(rate=10_000, burst=100_000))
        appender = Appender(
            journal=self.journal,
            records=self.records,
            index=self.index,
            news=self.world.news,
            clock=self.world.clock,
            entropy=SeededEntropy(1),
            workers=SequentialWorkers(),
            telemetry=self.world.telemetry,
        )
        recorder = RecordApi(
            settings=Settings(
                ledger_name="indelible", bucket="bucket", table="table", lock_mode="COMPLIANCE", retention_days=2555
            ),
            gate=gate,
            appender=appender,
            secrets=SECRETS,
            clock=self.world.clock,
        )
        log = self.world.log()
        prover = Prover(
            records=self.records,
            index=self.index,
            journal=self.journal,
            log=log,
            ledger_prover=self.world.ledger_prover(),
            timetable=Timetable(starts=self.world.starts, period_ms=300_000, clock=self.world.clock),
        )
        verifier = Verifier(records=self.records, journal=self.journal, log=log, clock=self.world.clock)
        proofs = ProofApi(gate=gate, prover=prover, consistency=Consistency(log))
        chains = VerifyApi(gate=gate, verifier=verifier)
        self.server = McpServer.of(recorder.routes, proofs.routes, chains.routes)

    @staticmethod
    def principal(org_id: str) -> str:
        """The role that is allowed for an organisation."""
        return f"arn:aws:iam::123456789012:role/{org_id}"

    def proof_of(self, org_id: str) -> dict[str, Any]:
        """What the gateway says of somebody who is this organisation's; nothing under HMAC."""
        if self.auth == "jwt":
            return {"authorizer": {"jwt": {"claims": {"sub": "agent-7", "org_id": org_id}}}}
        if self.auth == "iam":
            role = f"arn:aws:sts::123456789012:assumed-role/{org_id}/session"
            return {"authorizer": {"iam": {"userArn": role}}}
        return {}

    def arguments(self, arguments: Mapping[str, Any], *, by: str, of: str | None = None) -> dict[str, Any]:
        """As `by` would send them about the organisation `of` (its own): signed where signatures are asked for."""
        full = {"org_id": by if of is None else of, **arguments}
        if self.auth != "hmac":
            return full
        return {**full, "signature": credentials.sign(full, credentials.hmac_secret(SECRETS.master(), by, "k1"))}

    def rest(
        self,
        route: str,
        arguments: Mapping[str, Any],
        *,
        by: str = OURS,
        of: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The whole answer of REST."""
        event = {
            "routeKey": route,
            "requestContext": {"http": {"method": "POST"}, **(self.proof_of(by) if context is None else context)},
            "headers": dict(headers or {}),
            "body": json.dumps(self.arguments(arguments, by=by, of=of)),
            "isBase64Encoded": False,
        }
        api = SimpleNamespace(routes=self.server.routes)
        return rest.serve(event, Context(), api=lambda: api, telemetry=PowertoolsTelemetry(), clock=self.world.clock)

    def tool(
        self,
        route: str,
        arguments: Mapping[str, Any],
        *,
        by: str = OURS,
        of: str | None = None,
        headers: Mapping[str, str] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The whole answer of MCP to the tool of the same operation."""
        call = {"name": TOOLS[route], "arguments": self.arguments(arguments, by=by, of=of)}
        event = {
            "routeKey": "ANY /mcp",
            "requestContext": {"http": {"method": "POST"}, **(self.proof_of(by) if context is None else context)},
            "headers": dict(headers or {}),
            "body": json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}),
            "isBase64Encoded": False,
        }
        return mcp.serve(
            event, Context(), server=lambda: self.server, telemetry=PowertoolsTelemetry(), clock=self.world.clock
        )

    def call(self, protocol: str, route: str, arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """By this protocol: rest or mcp."""
        answer: dict[str, Any] = getattr(self, "tool" if protocol == "mcp" else "rest")(route, arguments, **more)
        return answer

    def record(self, org_id: str, count: int = 1, **more: Any) -> list[dict[str, Any]]:
        """Receipts of that many events of an organisation."""
        answers = [self.rest("POST /v1/record", {**EVENT, **more}, by=org_id) for _ in range(count)]
        assert [answer["statusCode"] for answer in answers] == [200] * count, answers
        return [json.loads(answer["body"])["receipt"] for answer in answers]


def told(answer: Mapping[str, Any]) -> tuple[int, str | None]:
    """Status and error code, by either protocol; the status of a tool's refusal is the one that REST gives."""
    body = json.loads(answer["body"])
    found = body["result"]["structuredContent"] if "result" in body else body
    error = found.get("error") or {}
    return answer["statusCode"], error.get("code")
