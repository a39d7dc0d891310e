# SPDX-License-Identifier: Apache-2.0
"""`indelible org`: JSON on stdout, messages on stderr, one line for an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from click.testing import CliRunner, Result

from indelible.cli.main import cli
from indelible.entry import operator
from tests.unit.services.test_registry import Office


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office()
    monkeypatch.setattr(operator, "registry", lambda _ledger: made.registry)
    return made


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["org", *arguments])


def test_create_prints_the_key_once(office: Office) -> None:
    done = run("create", "acme-corp", "--json")
    assert done.exit_code == 0
    assert set(json.loads(done.stdout)) == {"org_id", "key_id", "hmac_secret"}
    listed = run("list", "--json")
    assert json.loads(done.stdout)["hmac_secret"] not in listed.output
    names = [entry["org_id"] for entry in json.loads(listed.stdout)["organisations"]]
    assert names == ["_admin", "acme-corp"]


def test_without_json_the_words_are_for_people(office: Office) -> None:
    done = run("create", "acme-corp")
    assert "hmac_secret: " in done.stdout
    assert "not shown again" in done.stderr
    assert run("disable", "acme-corp", "--key", "k1").stderr == "acme-corp: key k1 is disabled\n"
    assert "kept for 3,000 days" in run("keep", "acme-corp", "3000").stderr
    assert "acme-corp" in run("list").stdout


def test_rotate_and_disable_answer_in_json(office: Office) -> None:
    run("create", "acme-corp")
    assert json.loads(run("rotate", "acme-corp", "--json").stdout)["key_id"] == "k2"
    disabled = json.loads(run("disable", "acme-corp", "--json").stdout)
    assert disabled["disabled_at"] is not None


def test_allow_and_deny_say_who_may_act_now(office: Office) -> None:
    run("create", "acme-corp")
    role, session = "arn:aws:iam::123456789012:role/r1", "arn:aws:sts::123456789012:assumed-role/r1/s1"
    shown = run("allow", "acme-corp", "--principal", session, "--json")
    assert json.loads(shown.stdout)["principals"] == [role]
    assert role in run("allow", "acme-corp", "--principal", "arn:aws:iam::123456789012:user/ann").stderr
    listed = json.loads(run("list", "--json").stdout)["organisations"]
    assert [org["principals"] for org in listed] == [[], [role, "arn:aws:iam::123456789012:user/ann"]]
    assert json.loads(run("deny", "acme-corp", "--principal", role, "--json").stdout)["principals"] != [role]
    last = run("deny", "acme-corp", "--principal", "arn:aws:iam::123456789012:user/ann")
    assert (last.stdout, last.stderr) == ("", "acme-corp: allowed AWS identities: none\n")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_one_damaged_item_is_named_and_the_others_are_listed(office: Office, arguments: tuple[str, ...]) -> None:
    run("create", "acme-corp")
    run("create", "globex")
    office.world.register.rootless.add("acme-corp")

    done = run("list", *arguments)

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: acme-corp: the item acme-corp / LOG has no 'root'")
    assert done.stderr.endswith("indelible rebuild --org acme-corp\n")
    if arguments:
        said = json.loads(done.stdout)
        assert [one["org_id"] for one in said["organisations"]] == ["_admin", "globex"]
        assert [one["org_id"] for one in said["damaged"]] == ["acme-corp"]
    else:
        assert "globex" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("create", "ACME"), "Error: org_id must match"),
        (("rotate", "nobody"), "there is no organisation nobody"),
        (("allow", "_admin", "--principal", "*"), "Error: principal must be the ARN of one IAM role or user"),
    ],
)
def test_a_refusal_is_one_line(office: Office, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_missing_credentials_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(_ledger: str) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(operator, "registry", without)
    done = run("list")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: AWS: Unable to locate credentials; name a profile, or set the usual environment variables\n",
    )


@pytest.mark.parametrize(
    "command", [(), ("create",), ("rotate",), ("keep",), ("disable",), ("allow",), ("deny",), ("list",)]
)
def test_help_says_what_is_meant(command: tuple[str, ...]) -> None:
    done = run(*command, "--help")
    assert done.exit_code == 0
    assert "Usage:" in done.stdout
