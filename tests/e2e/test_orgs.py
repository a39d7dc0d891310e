# SPDX-License-Identifier: Apache-2.0
"""`indelible org`, run as an administrator runs it, and what it means for those who record.

A function may go on for a minute with what it knows of an organisation; so each test uses one that no function has
met before.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from subprocess import CompletedProcess
from typing import Any

import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.commands import indelible
from tests.e2e.helpers.tenant import EVENT, Tenant, fresh


def _run(ledger: Outputs, *words: str, command: str = "org", **environment: str | None) -> CompletedProcess[str]:
    variables = {**ledger.environment(), **environment}
    given = {name: value for name, value in variables.items() if value is not None}
    return indelible(command, *words, environment=given)


def _json(ledger: Outputs, *words: str) -> dict[str, Any]:
    done = _run(ledger, *words, "--json")
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _name() -> str:
    return f"cli-{secrets.token_hex(4)}"


def _status(org: Tenant) -> int:
    return org.post("/v1/verify", {}).status_code


def _tenant(ledger: Outputs, key: dict[str, Any], *, named: bool = False) -> Tenant:
    return Tenant(ledger, key["org_id"], key["key_id"], key["hmac_secret"], key["key_id"] if named else None)


def test_a_created_organisation_can_record(ledger: Outputs) -> None:
    name = _name()
    key = _json(ledger, "create", name)
    assert key.keys() == {"org_id", "key_id", "hmac_secret"}
    assert (key["org_id"], key["key_id"], len(key["hmac_secret"])) == (name, "k1", 64)
    assert _tenant(ledger, key).record()["sequence"] == 1


def test_keys_overlap_until_the_old_one_is_disabled(ledger: Outputs) -> None:
    first = _json(ledger, "create", _name())
    second = _json(ledger, "rotate", first["org_id"])
    assert second["key_id"] == "k2"
    assert second["hmac_secret"] != first["hmac_secret"]
    old, new = _tenant(ledger, first, named=True), _tenant(ledger, second, named=True)
    assert (old.record()["sequence"], new.record()["sequence"]) == (1, 2)
    # Without a key_id the newest is meant.
    assert replace(new, named_key=None).record()["sequence"] == 3
    assert replace(old, named_key=None).post("/v1/record", EVENT).status_code == 401


def test_a_disabled_key_is_refused_and_the_others_are_not(ledger: Outputs) -> None:
    first = _json(ledger, "create", _name())
    second = _json(ledger, "rotate", first["org_id"])
    shown = _json(ledger, "disable", first["org_id"], "--key", "k1")
    assert [(key["key_id"], key["disabled_at"] is None) for key in shown["keys"]] == [("k1", False), ("k2", True)]
    assert _status(_tenant(ledger, first, named=True)) == 401
    assert _status(_tenant(ledger, first)) == 401
    assert _status(_tenant(ledger, second)) == 200


def test_a_disabled_organisation_is_refused_and_keeps_its_name(ledger: Outputs) -> None:
    key = _json(ledger, "create", _name())
    assert _json(ledger, "disable", key["org_id"])["disabled_at"]
    assert _status(_tenant(ledger, key)) == 401
    for words in (("create", key["org_id"]), ("rotate", key["org_id"])):
        done = _run(ledger, *words)
        assert (done.returncode, done.stdout) == (1, "")


def test_a_list_holds_everything_but_secrets(ledger: Outputs) -> None:
    key = _json(ledger, "create", _name())
    newer = _json(ledger, "rotate", key["org_id"])
    _tenant(ledger, newer).record()
    plain, machine = _run(ledger, "list"), _run(ledger, "list", "--json")
    assert (plain.returncode, machine.returncode) == (0, 0)
    listed = {org["org_id"]: org for org in json.loads(machine.stdout)["organisations"]}
    assert ledger.org_id in listed
    own = listed[key["org_id"]]
    assert [one["key_id"] for one in own["keys"]] == ["k1", "k2"]
    assert own["disabled_at"] is None
    for secret in (key["hmac_secret"], newer["hmac_secret"], ledger.hmac_secret):
        for output in (plain.stdout, plain.stderr, machine.stdout, machine.stderr):
            assert secret not in output


def test_a_secret_is_shown_once_to_people_too(ledger: Outputs) -> None:
    done = _run(ledger, "create", _name())
    assert done.returncode == 0
    shown = dict(line.split(": ") for line in done.stdout.splitlines())
    assert shown.keys() == {"org_id", "key_id", "hmac_secret"}
    assert "not shown again" in done.stderr


def test_a_legal_hold_refuses_deletion_until_it_is_released(ledger: Outputs) -> None:
    admin, org = Admin.of(ledger), fresh(ledger, "held")
    receipt = org.record()
    admin.anchor(org.org_id)
    checkpoint = f"{org.org_id}/_log/checkpoints/000000000001"

    def flag(key: str) -> str:
        return str(admin.s3.get_object_legal_hold(Bucket=admin.bucket, Key=key)["LegalHold"]["Status"])

    source = f"s3://{ledger.bucket}/{org.org_id}"
    done = _run(ledger, "place", source, "--reason", "Smith v. Acme", command="hold")
    assert done.returncode == 0, done.stderr
    hold_id = json.loads(done.stdout)["hold_id"]
    assert (flag(receipt["s3_key"]), flag(checkpoint)) == ("ON", "ON")
    refused = admin.s3.delete_objects(
        Bucket=admin.bucket,
        Delete={"Objects": [{"Key": receipt["s3_key"], "VersionId": receipt["s3_version_id"]}]},
        BypassGovernanceRetention=True,
    )
    assert [error["Code"] for error in refused["Errors"]] == ["AccessDenied"]
    done = _run(ledger, "release", source, hold_id, "--reason", "settled", command="hold")
    assert done.returncode == 0, done.stderr
    assert (flag(receipt["s3_key"]), flag(checkpoint)) == ("OFF", "OFF")


def test_what_an_administrator_does_is_on_record(ledger: Outputs) -> None:
    admin = Admin.of(ledger)
    name = _name()
    secret = _json(ledger, "create", name)["hmac_secret"]
    _json(ledger, "disable", name)
    bodies = [admin.body(key) for key in admin.keys("_admin")]
    events = [json.loads(body)["event"] for body in bodies]
    assert [event["action"] for event in events if event["target"] == name] == ["org.create", "org.disable"]
    assert not any(secret.encode() in body for body in bodies)


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (("create", "Acme Corp"), {}, "must match"),
        (("create", "acme-corp"), {}, "acme-corp exists already"),
        (("rotate", "nobody-here"), {}, "there is no organisation nobody-here"),
        (("disable", "nobody-here"), {}, "there is no organisation nobody-here"),
        (("disable", "acme-corp", "--key", "k9"), {}, "acme-corp has no key k9"),
        (("list", "--ledger", "no-such-ledger"), {}, "no-such-ledger"),
        (("list",), {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9"),
        (("list",), {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "credentials"),
        (("list",), {"AWS_REGION": None, "AWS_DEFAULT_REGION": None}, "region"),
    ],
    ids=["bad name", "taken", "unknown", "unknown to disable", "no key", "no ledger", "no AWS", "no keys", "no region"],
)
def test_what_goes_wrong_is_told_in_one_line(
    ledger: Outputs, words: tuple[str, ...], environment: dict[str, str | None], said: str
) -> None:
    done = _run(ledger, *words, **environment)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1, done.stderr
