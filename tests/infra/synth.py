# SPDX-License-Identifier: Apache-2.0
"""Synthesizes the stacks for tests, and reads their templates as text that a person can compare."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.app import build, new_app
from infra.config import LedgerConfig

Json = dict[str, Any]


@dataclass(frozen=True)
class TinyBundling:
    """A layer of one file: templates do not depend on what is in it."""

    python: str | None = None

    @property
    def target(self) -> str:
        return "tiny"

    def install(self, requirements: Path, destination: Path) -> None:
        (destination / "tiny.py").write_text("")


@dataclass(frozen=True)
class Synthesized:
    """The three templates of one ledger and what else the assembly says."""

    directory: Path
    name: str

    def template(self, stack: str) -> Json:
        return json.loads((self.directory / f"{self.name}-{stack}.template.json").read_text())

    @property
    def templates(self) -> dict[str, Json]:
        return {stack: self.template(stack) for stack in ("ledger", "api", "anchor")}

    @property
    def manifest(self) -> Json:
        return json.loads((self.directory / "manifest.json").read_text())

    def resources(self, type_: str, stack: str | None = None) -> Iterator[tuple[str, Json]]:
        """Logical id and resource of every resource of one type."""
        for name, template in self.templates.items():
            if stack in (None, name):
                for logical_id, resource in template["Resources"].items():
                    if resource["Type"] == type_:
                        yield logical_id, resource

    def one(self, type_: str, like: str = "", stack: str | None = None) -> Json:
        """The only resource of its type whose logical id begins with ``like``."""
        found = [r for i, r in self.resources(type_, stack) if i.startswith(like)]
        assert len(found) == 1, f"{len(found)} resources {type_} {like}*"
        return found[0]

    def render(self, value: Any) -> Any:
        """Replace CloudFormation references by ``<LogicalName.Attribute>``, across stacks."""
        if isinstance(value, list):
            return [self.render(item) for item in value]
        if not isinstance(value, dict):
            return value
        if set(value) == {"Ref"}:
            return f"<{_plain(value['Ref'])}>"
        if set(value) == {"Fn::GetAtt"}:
            logical_id, attribute = value["Fn::GetAtt"]
            return f"<{_plain(logical_id)}.{attribute}>"
        if set(value) == {"Fn::Join"}:
            separator, parts = value["Fn::Join"]
            return separator.join(self.render(part) for part in parts)
        if set(value) == {"Fn::ImportValue"}:
            return self.render(self._exported(value["Fn::ImportValue"]))
        return {key: self.render(item) for key, item in value.items()}

    def _exported(self, export: str) -> Any:
        for template in self.templates.values():
            for output in template.get("Outputs", {}).values():
                if output.get("Export", {}).get("Name") == export:
                    return output["Value"]
        raise AssertionError(f"nothing exports {export}")

    def policy(self, bucket_like: str) -> list[Json]:
        """The rendered statements of one bucket's policy."""
        document = self.one("AWS::S3::BucketPolicy", bucket_like)["Properties"]["PolicyDocument"]
        return [self.render(statement) for statement in document["Statement"]]

    def roles(self) -> dict[str, list[Json]]:
        """Rendered statements of every role, by role; no policy is attached in any other way."""
        assert not list(self.resources("AWS::IAM::Policy"))
        assert not list(self.resources("AWS::IAM::ManagedPolicy"))
        found: dict[str, list[Json]] = {}
        for logical_id, role in self.resources("AWS::IAM::Role"):
            assert "ManagedPolicyArns" not in role["Properties"], logical_id
            found[_plain(logical_id)] = [
                self.render(statement)
                for policy in role["Properties"]["Policies"]
                for statement in policy["PolicyDocument"]["Statement"]
            ]
        return found


def synthesize(directory: Path, config: LedgerConfig) -> Synthesized:
    """Synthesize with all rule packs; raises where a finding is not acknowledged."""
    app = new_app(outdir=str(directory))
    build(app, config, bundling=TinyBundling())
    app.synth()
    return Synthesized(directory, config.ledger_name)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _plain(logical_id: str) -> str:
    """The construct path without the hash that CloudFormation's uniqueness wants."""
    return re.sub(r"[0-9A-F]{8}$", "", logical_id)
