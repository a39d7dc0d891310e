# SPDX-License-Identifier: Apache-2.0
"""External anchoring: none by default; a provider named wrongly is refused; and what its function may do."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indelible.domain.anchors import safe_name
from indelible.domain.note import COSIGNATURE, ED25519, VerifierKey
from indelible.entry import external_settings
from indelible.errors import ConfigurationError
from infra.config import ConfigError, LedgerConfig
from infra.external_settings import ExternalError, read_witnesses
from tests.infra.synth import Synthesized, as_list, synthesize

BUCKET = "<EvidenceBucket.Arn>"
WITNESS = str(VerifierKey("witness.example/w", bytes(32), COSIGNATURE))
URL = "https://provider.example/path"
CONTEXT: dict[str, object] = {
    "timestamp_authorities": {"digi": "http://timestamp.example"},
    "calendars": {"alice": "https://alice.example"},
    "witnesses": {WITNESS: URL},
    "witness_quorum": 1,
}


@pytest.fixture(scope="module")
def anchored(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("anchored"), LedgerConfig.from_context(CONTEXT))


def environment(synthesized: Synthesized, name: str) -> dict[str, Any]:
    function = synthesized.one("AWS::Lambda::Function", name)
    return dict(function["Properties"]["Environment"]["Variables"])


# -- by default, nobody -----------------------------------------------------------------------------------


def test_nothing_is_contacted_by_default(prod: Synthesized, dev: Synthesized) -> None:
    assert LedgerConfig.from_context({}).external_anchors == {}
    for synthesized in (prod, dev):
        for logical_id, function in synthesized.resources("AWS::Lambda::Function"):
            assert not logical_id.startswith("External")
            assert "INDELIBLE_EXTERNAL_ANCHORS" not in function["Properties"]["Environment"]["Variables"]
        assert not any("Wait" in name for name, _ in synthesized.resources("AWS::CloudWatch::Alarm"))


# -- settings ---------------------------------------------------------------------------------------------


def test_settings_are_read_from_the_file_and_from_the_command_line() -> None:
    typed = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in CONTEXT.items()}
    config = LedgerConfig.from_context(typed)
    assert config == LedgerConfig.from_context({"indelible": CONTEXT})
    assert config.timestamp_authorities == {"digi": "http://timestamp.example"}
    assert config.witness_quorum == 1


def test_the_functions_read_what_is_written_for_them() -> None:
    config = LedgerConfig.from_context(CONTEXT)
    read = external_settings.load(config.external_anchors["INDELIBLE_EXTERNAL_ANCHORS"])
    assert (read.timestamp_authorities, read.calendars) == (config.timestamp_authorities, config.calendars)
    assert read.witness_keys() == {VerifierKey("witness.example/w", bytes(32), COSIGNATURE): URL}
    assert read.witness_quorum == 1


LOG_KEY = str(VerifierKey("witness.example/w", bytes(32), ED25519))
TWIN = str(VerifierKey("witness.example_w", bytes([1]) * 32, COSIGNATURE))


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("timestamp_authorities", "digi", "must be a JSON object"),
        ("timestamp_authorities", ["https://a.example"], "JSON object of 1 to 16"),
        ("timestamp_authorities", {}, "JSON object of 1 to 16"),
        ("timestamp_authorities", {f"a{n}": URL for n in range(17)}, "JSON object of 1 to 16"),
        ("timestamp_authorities", {"Digi": URL}, "a-z, 0-9 and '-'"),
        ("timestamp_authorities", {"a.b": URL}, "a-z, 0-9 and '-'"),
        ("timestamp_authorities", {"digi": "ftp://a.example"}, "http or https URLs"),
        ("timestamp_authorities", {"digi": "https://user:pass@a.example"}, "without user"),
        ("timestamp_authorities", {"digi": "https://a.example/?q=1"}, "without user, query"),
        ("timestamp_authorities", {"digi": "https://a.example:99999"}, "http or https URLs"),
        ("timestamp_authorities", {"digi": "https:///path"}, "http or https URLs"),
        ("timestamp_authorities", {"digi": 7}, "http or https URLs"),
        ("calendars", {"alice": "http://alice.example"}, "must have https URLs"),
        ("witnesses", {"witness.example": URL}, "must map verifier keys"),
        ("witnesses", {LOG_KEY: URL}, "kind 0x04"),
        ("witnesses", {WITNESS.replace("+", "+0", 1): URL}, "must map verifier keys"),
        ("witnesses", {WITNESS: URL, TWIN: URL}, "special characters"),
        ("witnesses", {WITNESS: "http://witness.example"}, "must have https URLs"),
        ("witness_quorum", 2, "there are 1 witnesses"),
        ("witness_quorum", 0, "whole number from 1"),
        ("witness_quorum", None, "required with witnesses"),
        ("calendars", {"alice": "http://127.0.0.1:4714"}, "on this machine"),
        ("timestamp_authorities", {"a": "http://localhost"}, "on this machine"),
        ("calendars", {f"a{n}": "https://a.example/" + "x" * 400 for n in range(9)}, "name fewer"),
    ],
)
def test_what_is_wrong_is_said_by_the_key_s_name(key: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        LedgerConfig.from_context({**CONTEXT, key: value})


@st.composite
def almost_keys(draw: st.DrawFn) -> str:
    """A witness's key, and what a slip of the hand makes of it."""
    name = draw(st.sampled_from(["w", "w.example/w", "ä", "a b", "a\u00a0b", "a\x01b", "a\ud800b", "", "x" * 300]))
    blob = bytes([draw(st.sampled_from([4, 4, 1, 6]))]) + draw(st.binary(min_size=31, max_size=33))
    key_id = hashlib.sha256(name.encode(errors="replace") + b"\n" + blob).hexdigest()[:8]
    said = draw(st.sampled_from([key_id, key_id, key_id.upper(), "00000000"]))
    return f"{name}+{said}+{base64.b64encode(blob).decode()}{draw(st.sampled_from(['', '', '=', 'A', chr(10)]))}"


@given(almost_keys())
@example(WITNESS)
@example(f"{WITNESS}=")  # not canonical base64
def test_what_is_deployed_as_a_witness_s_key_the_functions_read(text: str) -> None:
    """infra reads it without the layer, which whoever deploys need not have installed."""
    try:
        deployed = external_settings.load(json.dumps({"witnesses": {text: URL}})).witness_keys() != {}
    except ConfigurationError:
        deployed = False
    try:
        read = read_witnesses({text: URL}) == {text: URL}
    except ExternalError:
        read = False
    assert read == deployed


@pytest.mark.parametrize("other", ["witness.example_w", "witness.example/W", "x" * 200 + "a"])
def test_two_witnesses_have_two_files(other: str) -> None:
    name = "x" * 200 + "b" if other.startswith("x") else "witness.example/w"
    keys = {str(VerifierKey(one, bytes(32), COSIGNATURE)): URL for one in (name, other)}
    if safe_name(name) != safe_name(other):
        assert read_witnesses(keys) == keys
        return
    with pytest.raises(ExternalError, match="special characters"):
        read_witnesses(keys)


def test_a_quorum_wants_witnesses() -> None:
    with pytest.raises(ConfigError, match="there are 0 witnesses"):
        LedgerConfig.from_context({"witness_quorum": 1})


def test_stand_ins_on_this_machine_are_for_ledgers_on_this_machine() -> None:
    here = {"calendars": {"alice": "http://127.0.0.1:4714"}}
    assert LedgerConfig.from_context(here, on_this_machine=True).calendars == here["calendars"]


# -- what is deployed ---------------------------------------------------------------------------------------


def test_the_function_for_external_anchoring_can_neither_sign_nor_read_a_record(anchored: Synthesized) -> None:
    statements = anchored.roles()["ExternalRole"]
    found = {(r, tuple(sorted(as_list(s["Action"])))) for s in statements for r in as_list(s["Resource"])}
    assert {entry for entry in found if not entry[1][0].startswith("logs:")} == {
        (f"{BUCKET}/_ledger/*", ("s3:GetObject", "s3:GetObjectVersion")),
        (BUCKET, ("s3:ListBucketVersions",)),
        (f"{BUCKET}/_ledger/_log/anchors/*", ("s3:PutObject", "s3:PutObjectRetention")),
        (f"{BUCKET}/_ledger/_log/checkpoint", ("s3:PutObject", "s3:PutObjectRetention")),
        ("<SigningKey.Arn>", ("kms:GetPublicKey",)),
    }
    (listing,) = [s for s in statements if "s3:ListBucketVersions" in as_list(s["Action"])]
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "_ledger/*"}}
    record = f"{BUCKET}/acme-corp/2026/03/20/000000000142-019d0b9f-e509-8000-8000-023a12345678.json"
    assert not any(fnmatch.fnmatchcase(record, resource) for resource, _ in found)


def test_the_providers_are_told_to_the_functions(anchored: Synthesized) -> None:
    for name in ("External", "Prove", "Anchor"):
        assert json.loads(environment(anchored, name)["INDELIBLE_EXTERNAL_ANCHORS"]) == CONTEXT


def test_each_kind_that_is_configured_has_its_alarms(
    anchored: Synthesized, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def names(synthesized: Synthesized) -> set[str]:
        alarms = synthesized.resources("AWS::CloudWatch::Alarm")
        return {alarm["Properties"]["AlarmName"].removeprefix("indelible-") for _, alarm in alarms}

    everything = {"TimestampWait", "CalendarWait", "PendingProof", "WitnessWait", "WitnessConflicts", "ExternalErrors"}
    assert everything <= names(anchored)
    some = LedgerConfig.from_context({"calendars": CONTEXT["calendars"]})
    only = synthesize(tmp_path_factory.mktemp("calendars"), some)
    assert names(only) & everything == {"CalendarWait", "PendingProof", "ExternalErrors"}
    body = anchored.render(anchored.one("AWS::CloudWatch::Dashboard")["Properties"]["DashboardBody"])
    assert '"WitnessWaitSeconds"' in body


def test_it_is_the_last_step_of_a_round_and_may_fail(anchored: Synthesized, prod: Synthesized) -> None:
    def states(synthesized: Synthesized) -> dict[str, Any]:
        machine = synthesized.one("AWS::StepFunctions::StateMachine")["Properties"]
        definition = machine.get("Definition") or json.loads(synthesized.render(machine["DefinitionString"]))
        return dict(synthesized.render(definition)["States"])

    found = states(anchored)
    assert found["Ledger"]["Next"] == found["LedgerLost"]["Next"] == "External"
    assert found["External"]["Parameters"] == {"run.$": "$.run"}
    assert found["External"]["Catch"][0]["Next"] == "ExternalLost"
    assert found["External"]["Next"] == found["ExternalLost"]["Next"] == "Done"
    assert "External" not in states(prod)
