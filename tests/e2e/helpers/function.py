# SPDX-License-Identifier: Apache-2.0
"""A deployed function, run in this process: its handler, in its deployed environment, with every call to AWS noted."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from indelible.entry.telemetry import PowertoolsTelemetry
from tests.documents import ROOT
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.inprocess import wiring
from tests.e2e.helpers.permissions import Need, Role, watched


class Context:
    """Lambda's context object."""

    aws_request_id = "in-process"

    def get_remaining_time_in_millis(self) -> int:
        """As at the beginning of a long run."""
        return 120_000


@dataclass
class Function:
    """Its handler, its role, and what it needed of AWS until now."""

    handler: Callable[[dict[str, Any], Context], dict[str, Any]]
    role: Role
    needed: list[Need] = field(default_factory=list)

    def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        """As the workflow asks."""
        return self.handler(event, Context())

    def request(self, route: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As API Gateway asks (payload format 2.0); the body of a 200."""
        method, _, path = route.partition(" ")
        answer = self(
            {
                "version": "2.0",
                "routeKey": "ANY /mcp" if path == "/mcp" else route,
                "rawPath": path,
                "headers": {"content-type": "application/json"},
                "requestContext": {"http": {"method": method, "path": path}},
                "body": json.dumps(body) if body is not None else None,
                "isBase64Encoded": False,
            }
        )
        assert answer["statusCode"] == 200, answer
        said: dict[str, Any] = json.loads(answer["body"])
        return said

    def refused(self) -> list[Need]:
        """What it needed and its role does not allow."""
        return [need for need in self.needed if not self.role.allows(need)]


@contextmanager
def function(admin: Admin, name: str, *, source: str) -> Iterator[Function]:
    """Cold, as it was deployed. `name` is its construct's, `source` its directory's."""
    deployed = admin.client("lambda").get_function_configuration(FunctionName=admin.function(name))
    role = Role.of(admin, deployed)
    path = ROOT / "lambdas" / source / "handler.py"
    with (
        watched(admin.ledger.region) as needed,
        wiring(admin.ledger, deployed["Environment"]["Variables"]) as bootstrap,
    ):
        telemetry = PowertoolsTelemetry()
        bootstrap.shared.telemetry = lambda: telemetry  # endpoints and steps begin and flush it
        spec = importlib.util.spec_from_file_location(f"lambda_{path.parent.name}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield Function(module.handler, role, needed)
