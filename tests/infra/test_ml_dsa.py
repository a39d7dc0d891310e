# SPDX-License-Identifier: Apache-2.0
"""A second key, for those who ask for it: of another spec, under the same policy, at the anchor's hand alone."""

from __future__ import annotations

import json

import pytest

from infra.config import ConfigError, LedgerConfig
from tests.infra.synth import Synthesized, as_list, synthesize

SECOND = "<MlDsaKey.Arn>"
NAME = "INDELIBLE_ML_DSA_KEY_ID"


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("hybrid"), LedgerConfig.from_context({"ml_dsa": "true"}))


def test_nobody_has_one_by_default(prod: Synthesized) -> None:
    assert [key["Properties"]["KeySpec"] for _, key in prod.resources("AWS::KMS::Key")] == ["ECC_NIST_EDWARDS25519"]
    assert NAME not in json.dumps(prod.templates)


def test_its_policy_is_that_of_the_first(hybrid: Synthesized) -> None:
    first, second = (hybrid.one("AWS::KMS::Key", like) for like in ("SigningKey", "MlDsaKey"))
    assert (second["Properties"]["KeySpec"], second["Properties"]["KeyUsage"]) == ("ML_DSA_44", "SIGN_VERIFY")
    assert second["Properties"]["KeyPolicy"] == first["Properties"]["KeyPolicy"]
    assert (second["DeletionPolicy"], second["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_anchor_signs_with_it_and_the_public_endpoint_names_it(hybrid: Synthesized) -> None:
    may = {
        role: {
            action
            for statement in statements
            if SECOND in as_list(statement["Resource"])
            for action in as_list(statement["Action"])
        }
        for role, statements in hybrid.roles().items()
    }
    assert {role: actions for role, actions in may.items() if actions} == {
        "AnchorRole": {"kms:GetPublicKey", "kms:Sign"},
        "MetaRole": {"kms:GetPublicKey"},
    }


def test_those_two_are_told_which_it_is_and_nobody_takes_it_for_a_generation(hybrid: Synthesized) -> None:
    told = {}
    for name, function in hybrid.resources("AWS::Lambda::Function"):
        variables = hybrid.render(function.get("Properties", {}).get("Environment", {}).get("Variables", {}))
        assert variables.get("INDELIBLE_SIGNING_KEY_IDS") in (None, "<SigningKey>")
        if NAME in variables:
            told[name.removesuffix(name[-8:])] = variables[NAME]
    assert told == {"AnchorFunction": SECOND, "MetaFunction": SECOND}


def test_nag_has_nothing_to_say(hybrid: Synthesized) -> None:
    reports = json.loads((hybrid.directory / "validation-report.json").read_text())["pluginReports"]
    assert [report for report in reports if report["conclusion"] != "success"] == []


@pytest.mark.parametrize("value", [1, "yes", "ML_DSA_65"])
def test_on_or_off(value: object) -> None:
    with pytest.raises(ConfigError, match="ml_dsa"):
        LedgerConfig.from_context({"ml_dsa": value})
