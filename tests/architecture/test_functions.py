# SPDX-License-Identifier: Apache-2.0
"""What each function loads: all of it is in its layer, and nothing that only another function needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.source import LAYER, ROOT, imports, module_name

HANDLERS = sorted((ROOT / "lambdas").glob("*/handler.py"))
NAMES = [path.parent.name for path in HANDLERS]
LAYER_REQUIREMENTS = ROOT / "layers/ledger/requirements.txt"
PDF_REQUIREMENTS = ROOT / "layers/pdf/requirements.txt"

LOGS = {"services.log", "services.keys", "aws.kms_key"}
ANCHORING = {"services.anchor", "services.collect", "services.ledger_log", "services.signed_log", "entry.anchoring"}
PROVING = {"services.prove", "services.ledger_proof", "entry.proving"}
VERIFYING = {"services.verify", "entry.verifying"}
EXPORTING = {"services.export_jobs", "services.export_acts", "entry.exporting", "aws.s3_exports"}
PACKING = {"services.export", "services.packing", "entry.packing", "page.render", "views.formats"}
RECORDING = {"services.append", "entry.recording"}
AUTHENTICATING = {"services.authenticate", "aws.secrets", "entry.bootstrap.callers"}
TOOLS = {"entry.mcp", "entry.mcp_tools", "entry.jsonrpc"}
PUBLIC = {"entry.meta", "entry.openapi"}
SENDING = {"external.http", "services.external_anchors"}
TABLE = {"aws.dynamo_index", "aws.dynamo_journal", "aws.dynamo_orgs", "entry.bootstrap.table"}
ALL = LOGS | ANCHORING | PROVING | VERIFYING | EXPORTING | PACKING | RECORDING | AUTHENTICATING
ALL |= TOOLS | PUBLIC | SENDING | TABLE

NEEDED = {
    "record": RECORDING | AUTHENTICATING | TABLE,
    "prove": PROVING | LOGS | AUTHENTICATING | TABLE,
    "verify": VERIFYING | LOGS | AUTHENTICATING | TABLE,
    "mcp": TOOLS | RECORDING | PROVING | VERIFYING | LOGS | AUTHENTICATING | TABLE,
    "meta": PUBLIC | LOGS,
    "export": EXPORTING | AUTHENTICATING | TABLE | {"services.append"},
    "pack": PACKING | LOGS | {"aws.s3_exports"},
    "plan": TABLE,
    "anchor": ANCHORING | LOGS | TABLE,
    "external": SENDING | LOGS,
}
"""Of the modules above, those that a function loads; it must not load the others, not even on some later request."""


@cache
def reached(name: str) -> frozenset[str]:
    """Every module that the handler's imports lead to, those inside functions included: our own without the package."""
    known = {module_name(file): file for file in LAYER.rglob("*.py")}
    found: set[str] = set()
    todo = list(imports(ROOT / "lambdas" / name / "handler.py"))
    while todo:
        imported = todo.pop()
        if imported.split(".")[0] != "indelible":
            found.add(imported.split(".")[0])
            continue
        for module in (imported, imported.rpartition(".")[0]):
            if module in known and module not in found:
                found.add(module)
                todo += imports(known[module])
    return frozenset(found)


def ours(name: str) -> set[str]:
    """`domain.record` for `indelible.domain.record`."""
    return {module.removeprefix("indelible.") for module in reached(name) if module.startswith("indelible.")}


def installed_in_the_layers(name: str) -> set[str]:
    """Import names of the pinned packages; whatever else a function imported would not be there."""
    locks = [LAYER_REQUIREMENTS, *([PDF_REQUIREMENTS] if name == "pack" else [])]
    pinned = [found for lock in locks for found in re.findall(r"^([a-z0-9-]+)==", lock.read_text(), re.MULTILINE)]
    return {name.replace("-", "_") for name in pinned}


@pytest.mark.parametrize("path", HANDLERS, ids=NAMES)
def test_handlers_are_thin_and_import_only_the_layer_s_entry(path: Path) -> None:
    found = {name for name in imports(path) if name.split(".")[0] not in ("__future__", "typing")}

    assert len(path.read_text().splitlines()) <= 60
    assert found
    assert all(name.startswith("indelible.entry.") for name in found), found
    assert [other.name for other in path.parent.glob("*.py")] == ["handler.py"]


def test_all_functions_are_there() -> None:
    assert set(NEEDED) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_function_loads_is_in_its_layer(name: str) -> None:
    """Nothing of cli or client, no package that the layer does not have."""
    packages = {module for module in reached(name) if module.split(".")[0] != "indelible"}

    assert "entry.bootstrap.shared" in ours(name), "the walk does not follow imports"
    assert {module.split(".")[0] for module in ours(name)} & {"cli", "client", "audit"} == set()
    assert packages - set(sys.stdlib_module_names) <= installed_in_the_layers(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_loads_nothing_that_only_another_one_needs(name: str) -> None:
    """All of it would be read, and much of it run, at each cold start."""
    assert ours(name) & ALL == NEEDED[name]


def test_python_agrees() -> None:
    """What the walk says of the source is what happens: the modules of a process that has loaded the handler."""
    look = "import handler, sys; print(*(name for name in sys.modules if name.startswith('indelible.')))"
    paths = os.pathsep.join([str(ROOT / "lambdas/record"), str(LAYER.parent)])
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run(
        [sys.executable, "-c", look], env=environment, cwd="/", capture_output=True, text=True, check=True
    )
    loaded = {name.removeprefix("indelible.") for name in done.stdout.split()}

    assert "services.append" in loaded
    assert loaded & ALL == NEEDED["record"]
