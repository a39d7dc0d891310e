# SPDX-License-Identifier: Apache-2.0
"""The dependency rule: domain ← ports ← services ← entry; aws implements ports; AWS stays at the edge."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import LAYER, imports, module_name

MAY_IMPORT = {
    "errors": set(),
    "domain": {"domain", "errors"},
    "ports": {"ports", "domain", "errors"},
    "services": {"services", "ports", "page", "views", "domain", "errors"},
    "aws": {"aws", "ports", "domain", "errors"},
    "external": {"external", "ports", "domain", "errors"},
    "page": {"page", "domain", "errors"},
    "views": {"views", "domain", "errors", "__version__"},
    "audit": {"audit", "services", "ports", "external", "domain", "errors"},
    "entry": {"entry", "services", "ports", "page", "domain", "errors", "__version__"},
    "cli": {"cli", "client", "audit", "entry", "services", "ports", "page", "views", "domain", "errors", "__version__"},
    "client": {"client", "domain", "errors", "__version__"},
}
"""What each part of the package may import of the others. Only the two that build adapters may import `aws` too,
and `external`."""

BUILDERS = ("indelible.entry.bootstrap.", "indelible.entry.operator")
AWS_SDK = {"boto3", "botocore"}
MAY_USE_AWS_SDK = ("indelible.aws.", *BUILDERS)

PURE = {
    "__future__", "base64", "bisect", "collections", "contextlib", "dataclasses", "datetime", "enum", "functools",
    "hashlib", "hmac", "itertools", "json", "math", "re", "struct", "types", "typing", "uuid", "zlib",
}  # fmt: skip
"""Of the standard library, what the domain may use: nothing with a clock, an environment or the outside world."""
PURE_THIRD_PARTY = {"cryptography", "msgspec", "rfc8785"}
IMPURE_NAMES = {"uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7", "datetime.date"}
IMPURE_CALLS = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input", "getenv"}

MODULES = sorted(LAYER.rglob("*.py"))
IDS = [module_name(path) for path in MODULES]


def part_of(module: str) -> str:
    """`domain` for `indelible.domain.record`."""
    return module.split(".")[1] if "." in module else "__init__"


def ours(path: Path, *, at_run_time: bool = True) -> set[str]:
    """Parts of the package that a file imports."""
    found = {name for name in imports(path, at_run_time=at_run_time) if name.split(".")[0] == "indelible"}
    return {part_of(name) for name in found}


def test_every_part_of_the_package_has_a_rule() -> None:
    parts = {part_of(module_name(path)) for path in MODULES} - {"__init__"}

    assert parts <= set(MAY_IMPORT), "a new part of the package: say above what it may import"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_dependencies_point_inwards(path: Path) -> None:
    name = module_name(path)
    part = part_of(name)
    allowed = set(MAY_IMPORT.get(part, set()))
    if name.startswith(BUILDERS):
        allowed |= {"aws", "external"}

    assert ours(path, at_run_time=False) <= allowed, f"{name} may import only {sorted(allowed)}"


@pytest.mark.parametrize("path", MODULES, ids=IDS)
def test_the_aws_sdk_stays_at_the_edge(path: Path) -> None:
    if module_name(path).startswith(MAY_USE_AWS_SDK):
        return
    sdk = {name for name in imports(path, at_run_time=False) if name.split(".")[0] in AWS_SDK | {"mypy_boto3_s3"}}

    assert sdk == set()


DOMAIN = [path for path in MODULES if part_of(module_name(path)) in ("domain", "errors", "ports")]


@pytest.mark.parametrize("path", DOMAIN, ids=[module_name(path) for path in DOMAIN])
def test_the_domain_is_pure(path: Path) -> None:
    found = imports(path)
    roots = {name.split(".")[0] for name in found} - {"indelible"}

    assert roots <= PURE | PURE_THIRD_PARTY
    assert not found & IMPURE_NAMES
    assert not IMPURE_CALLS & _called(path)


SERVICES = [path for path in MODULES if part_of(module_name(path)) == "services"]


@pytest.mark.parametrize("path", SERVICES, ids=[module_name(path) for path in SERVICES])
def test_services_know_the_world_through_ports_only(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)} - {"indelible"}

    assert roots <= PURE | PURE_THIRD_PARTY
    assert not IMPURE_CALLS & _called(path)


def test_slow_imports_stay_out_of_the_package() -> None:
    """At a cold start each of these costs more than everything else together."""
    banned = {"pydantic", "mcp", "requests", "aws_xray_sdk", "jcs", "canonicaljson"}

    assert {name.split(".")[0] for path in MODULES for name in imports(path)} & banned == set()
    assert not any("tracing" in name for path in MODULES for name in imports(path))


@pytest.mark.parametrize("module", ["domain", "services"])
def test_the_core_is_not_empty(module: str) -> None:
    """Whoever moves the package moves these rules with it."""
    assert len([path for path in MODULES if part_of(module_name(path)) == module]) > 5


def _called(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            names.add(function.id if isinstance(function, ast.Name) else getattr(function, "attr", ""))
    return names
