# SPDX-License-Identifier: Apache-2.0
"""The MCP endpoint on the in-memory world: called directly, or over HTTP on the loopback for real clients."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from indelible.domain import credentials
from indelible.domain.organisation import OrgConfig, OrgKey
from indelible.entry import mcp
from indelible.entry.env import Settings
from indelible.entry.gate import RequestGate
from indelible.entry.limits import OrgLimits
from indelible.entry.mcp import McpServer
from indelible.entry.proving import ProofApi
from indelible.entry.recording import RecordApi
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.entry.verifying import VerifyApi
from indelible.services.authenticate import Authenticator
from indelible.services.consistency import Consistency
from tests.fakes.table import FakeOrganisations, FakeSecretSource
from tests.fakes.world import World

ORG = "acme-corp"
MASTER = b"a master secret for tests"
SECRET = credentials.hmac_secret(MASTER, ORG, "k1")
EVENT = {"event_type": "AGENT_DECISION", "payload": {"decision": "APPROVED"}}
MODERN = "2026-07-28"


@dataclass
class Context:
    """Lambda's context object."""

    aws_request_id: str = "req-1"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


class McpWorld:
    """A ledger in memory with one organisation, behind /mcp."""

    def __init__(self, *, allowed_origins: str = "") -> None:
        self.world = World()
        organisations = FakeOrganisations()
        organisations.create(OrgConfig(ORG, "2026-01-01T00:00:00.000Z", (OrgKey("k1", "2026-01-01T00:00:00.000Z"),)))
        secrets, clock = FakeSecretSource(MASTER), self.world.clock
        authenticator = Authenticator(organisations=organisations, secrets=secrets, clock=clock, strict=False)
        gate = RequestGate(authenticator=authenticator, limits=OrgLimits(rate=1000, burst=1000))
        recorder = RecordApi(
            settings=Settings(
                ledger_name="indelible", bucket="bucket", table="table", lock_mode="COMPLIANCE", retention_days=2555
            ),
            gate=gate,
            appender=self.world.appender(),
            secrets=secrets,
            clock=clock,
        )
        prover = ProofApi(
            gate=gate,
            prover=self.world.prover(),
            consistency=Consistency(self.world.log()),
        )
        verifier = VerifyApi(gate=gate, verifier=self.world.verifier())
        self.server = McpServer.of(recorder.routes, prover.routes, verifier.routes, allowed_origins=allowed_origins)

    def request(
        self, body: object, headers: Mapping[str, str] | None = None, *, method: str = "POST", encoded: bool = False
    ) -> Answer:
        """One HTTP request, as API Gateway hands it over (payload format 2.0)."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        event = {
            "routeKey": "ANY /mcp",
            "requestContext": {"http": {"method": method, "path": "/mcp"}},
            "headers": dict(headers or {}),
            "body": base64.b64encode(data).decode() if encoded else data.decode(),
            "isBase64Encoded": encoded,
        }
        telemetry = PowertoolsTelemetry()
        answer = mcp.serve(event, Context(), server=lambda: self.server, telemetry=telemetry, clock=self.world.clock)
        return Answer(answer["statusCode"], answer["headers"], answer["body"])

    def modern(self, method: str, params: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """A request of 2026-07-28 that keeps all its rules."""
        message = modern(method, params)
        return self.request(message, modern_headers(message) | headers)

    def call(self, name: str, arguments: Mapping[str, Any], meta: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A tools/call of 2026-07-28, and its result."""
        answer = self.modern("tools/call", {"name": name, "arguments": arguments, "_meta": dict(meta or {})})
        assert answer.status == 200, answer.body
        result: dict[str, Any] = answer.json["result"]
        return result

    @contextmanager
    def on_loopback(self) -> Iterator[str]:
        """The URL of this endpoint, served over real HTTP."""
        world = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                answer = world.request(body, {k.lower(): v for k, v in self.headers.items()}, method=self.command)
                content = answer.body.encode()
                self.send_response(answer.status)
                for name, value in {**answer.headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET = do_DELETE = do_OPTIONS = handle_any  # noqa: N815 -- the base class says so

            def log_message(self, format: str, *args: object) -> None:
                """Quietly."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}/mcp"
            finally:
                server.shutdown()
                thread.join()


@dataclass(frozen=True)
class Answer:
    """What a client gets."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def error(self) -> tuple[int, int]:
        """(HTTP status, JSON-RPC error code)."""
        return self.status, self.json["error"]["code"]


def signed(arguments: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Arguments with org_id and signature."""
    full = {"org_id": ORG, **arguments, **more}
    return {**full, "signature": credentials.sign(full, SECRET)}


def rpc(method: str, params: Mapping[str, Any] | None = None, request_id: object = 1) -> dict[str, Any]:
    """A request as clients of the handshake era, and the product's examples, send it."""
    return {"jsonrpc": "2.0", "id": request_id, "method": method, **({"params": params} if params is not None else {})}


def modern(method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A request of 2026-07-28."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
        **(params or {}).get("_meta", {}),
    }
    return rpc(method, {**(params or {}), "_meta": meta})


def modern_headers(message: Mapping[str, Any]) -> dict[str, str]:
    """The headers that belong to it."""
    headers = {"mcp-protocol-version": MODERN, "mcp-method": message["method"]}
    return headers | ({"mcp-name": message["params"]["name"]} if "name" in message["params"] else {})
