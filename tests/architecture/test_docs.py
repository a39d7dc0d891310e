# SPDX-License-Identifier: Apache-2.0
"""The documentation agrees with the code: names, tables and links are held against what they speak of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest

from indelible import errors
from indelible.cli.main import cli
from indelible.domain.findings import FailureCode
from indelible.entry import limits
from infra.config import LedgerConfig
from tests.documents import DOCUMENTS, ROOT, anchors, blocks, links, table

README = ROOT / "README.md"
DEPLOYING = ROOT / "docs" / "deploying.md"
VERIFY = ROOT / "docs" / "verify.md"
GUIDES = (README, DEPLOYING, VERIFY)
"""Where users learn which commands there are."""
OPERATIONS = ROOT / "docs" / "operations.md"
LAYER = ROOT / "layers" / "ledger" / "python" / "indelible"
EVERY_TEXT = "\n".join(document.read_text(encoding="utf-8") for document in DOCUMENTS)
FOR_USERS = {"demo", "test", "up", "down", "help", "synth", "deploy"}


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    broken = []
    for link in links(document):
        if link.startswith(("https://", "http://")):
            continue
        path, _, fragment = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_command_is_run_or_says_why_not(document: Path) -> None:
    if document.name == "local.md":
        return  # two lines of settings, which every other command is run with
    for block in blocks(document):
        if block.language in ("sh", "bash", "python"):
            assert block.marker == "run" or re.match(r"not run: \w+", block.marker), block.text
    runnable = {README, DEPLOYING, *(ROOT / "docs" / f"{name}.md" for name in ("external-anchors", "format", "rest"))}
    assert document in runnable or not any(block.marker == "run" for block in blocks(document))


# -- make ---------------------------------------------------------------------------------------------


def test_the_readme_names_the_targets_that_users_need_and_all_named_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z_-]*):", makefile, re.M))
    readme = README.read_text(encoding="utf-8")
    assert set(re.findall(r"`?\bmake ([a-z-]+)\b", readme)) & targets >= FOR_USERS
    commands = re.findall(r"`make ([a-z_-]+)[^`]*`", EVERY_TEXT) + re.findall(r"^make ([a-z_-]+)", EVERY_TEXT, re.M)
    assert set(commands) <= targets


# -- the command line -----------------------------------------------------------------------------------


def _leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, name
            yield from _leaves(child, (*path, name))
    else:
        yield path, command


COMMANDS = dict(_leaves(cli, ("indelible",)))


def _typed() -> Iterator[str]:
    """Every `indelible …` in code, wherever it stands."""
    yield from re.findall(r"`(indelible [^`\n]+)`", EVERY_TEXT)
    for document in DOCUMENTS:
        for block in blocks(document):
            yield from re.findall(r"^indelible [^\n#]+", block.text, re.M)


def test_the_guides_and_the_help_name_the_same_commands() -> None:
    told = "\n".join(guide.read_text(encoding="utf-8") for guide in GUIDES)
    assert [" ".join(path) for path in COMMANDS if " ".join(path) not in told] == []


def test_every_option_stands_in_some_document() -> None:
    options = [
        (" ".join(path), parameter.opts)
        for path, command in COMMANDS.items()
        for parameter in command.params
        if parameter.opts[0].startswith("-")
    ]
    assert [option for option in options if not any(_stands(name, EVERY_TEXT) for name in option[1])] == []


def test_every_option_of_verify_is_explained_to_auditors() -> None:
    told = VERIFY.read_text(encoding="utf-8")
    options = [parameter.opts for parameter in COMMANDS[("indelible", "verify")].params]
    assert len(options) > 15
    lacking = [names for names in options if names[0].startswith("-") and not _stands(names[0], told)]
    assert lacking == []


def _stands(option: str, text: str) -> bool:
    """Whole: `--to` does not stand where `--tools` does."""
    return re.search(rf"{re.escape(option)}(?![\w-])", text) is not None


def test_commands_that_are_printed_exist_with_their_options() -> None:
    typed = [command.split() for command in _typed()]
    assert typed
    for words in typed:
        if words[1].startswith("-"):
            assert words[1] in {"--version", "--help", "-h"}
            continue
        depth = 2 if tuple(words[:2]) in COMMANDS else 3
        path, given = tuple(words[:depth]), words[depth:]
        if len(words) == 2:
            assert words[1] in {path[1] for path in COMMANDS}
            continue
        assert path in COMMANDS, " ".join(words)
        options = {option for parameter in COMMANDS[path].params for option in parameter.opts}
        assert {word for word in given if word.startswith("-")} <= options, " ".join(words)


# -- metrics and alarms ---------------------------------------------------------------------------------


def test_the_metrics_are_those_that_the_code_emits() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in LAYER.rglob("*.py"))
    emitted = set(re.findall(r"""\.count\(\s*"(\w+)\"""", source))
    documented = {row[0].strip("`") for row in table(OPERATIONS, "metric")}
    assert documented == emitted | {"DeniedDeletes-indelible"}
    infra = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "infra").rglob("*.py"))
    assert emitted <= set(re.findall(r'"(\w+)"', infra)), "each is on the dashboard or has an alarm"


def test_the_alarms_are_those_that_are_deployed() -> None:
    alarms = (ROOT / "infra" / "constructs" / "alarms.py").read_text(encoding="utf-8")
    deployed = set(re.findall(r'self\._alarm\(\s*"(\w+)"', alarms))
    assert {row[0].strip("`") for row in table(OPERATIONS, "alarm")} == deployed


def test_every_check_of_the_doctor_has_a_row_in_the_runbook() -> None:
    sources = (LAYER / "services").glob("doctor*.py")
    found = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    checks = set(re.findall(r'Finding\(\s*"([a-z ]+)"|\bok\("([a-z ]+)"|\("([a-z ]+)", self\._', found))
    named = {name for names in checks for name in names if name}
    documented = {name for row in table(OPERATIONS, "check") for name in re.findall(r"`([a-z ]+)`", row[0])}
    assert len(named) > 15
    assert documented == named


def test_every_decision_is_in_the_index() -> None:
    index = ROOT / "docs" / "decisions.md"
    assert [link for link in links(index) if link.startswith("adr/")] == [
        f"adr/{path.name}" for path in sorted((ROOT / "docs" / "adr").glob("*.md"))
    ]


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (document.parent / link.partition("#")[0]).resolve() for document in DOCUMENTS for link in links(document)
    }
    assert [page.name for page in sorted((ROOT / "docs").glob("*.md")) if page not in linked] == []


# -- tables that must equal definitions -------------------------------------------------------------------


def test_the_settings_are_those_of_the_configuration() -> None:
    defaults = {}
    for names, default, _ in table(DEPLOYING, "key"):
        values = re.sub(r" \(`dev`.*", "", default).replace("`", "").split(", ")
        defaults |= dict(zip(names.replace("`", "").split(", "), values, strict=True))
    expected = {field.name: field.default for field in fields(LedgerConfig)}
    words = {None: "none", True: "true", False: "false"}
    assert defaults == {
        name: words[value] if value is None or isinstance(value, bool) else str(value)
        for name, value in expected.items()
    }


def _subclasses(cls: type[errors.LedgerError]) -> Iterator[type[errors.LedgerError]]:
    yield cls
    for child in cls.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _subclasses(child)


def test_the_error_codes_are_those_of_the_code() -> None:
    documented = {row[0].strip("`"): (int(row[1]), row[2]) for row in table(ROOT / "docs" / "errors.md", "code")}
    defined = {
        error.code: (error.status, "yes" if error.retryable else "no") for error in _subclasses(errors.LedgerError)
    }
    assert documented == defined


def test_the_failure_types_are_those_of_the_checker() -> None:
    documented = [row[0].strip("`") for row in table(ROOT / "docs" / "format.md", "code")]
    assert documented == [code.value for code in FailureCode]


def test_the_readme_names_every_route_and_no_other() -> None:
    source = (ROOT / "infra" / "api_stack.py").read_text(encoding="utf-8")
    routes = set(re.findall(r'"(?:ANY|GET|POST) (/[a-z0-9./_-]+)"', source))
    named = set(
        re.findall(r"(?<![\w.*}])(/v1/[a-z/]*[a-z]|/health|/mcp|/openapi\.json)\b", README.read_text(encoding="utf-8"))
    )
    assert routes
    assert named == routes


def test_every_route_that_wants_a_signature_stands_where_authentication_is_explained() -> None:
    contract = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    routes = {path for path, methods in contract["paths"].items() if "post" in methods}
    assert len(routes) > 5
    for page in ("identities.md", "rest.md"):
        told = set(re.findall(r"/v1/[a-z/]*[a-z]", (ROOT / "docs" / page).read_text(encoding="utf-8")))
        assert routes <= told, page


@pytest.mark.parametrize("page", ["deploying.md", "operations.md", "rest.md"])
def test_what_requests_cost_is_what_the_code_charges(page: str) -> None:
    costs = r"a proof\b[^;.|]* as (\d+), a verification as (\d+), an export as (\d+)"
    told = re.findall(costs, (ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert told == [tuple(map(str, (limits.PROOF_COST, limits.VERIFY_COST, limits.EXPORT_COST)))]


# -- decisions ------------------------------------------------------------------------------------------


def test_decisions_are_numbered_without_gaps_and_short() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert "\nStatus: " in text
        assert len(text) < 4_500, f"{path.name} is longer than a page"
