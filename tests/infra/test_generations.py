# SPDX-License-Identifier: Apache-2.0
"""More than one generation of the signing key: all kept, all known to who reads, all at the anchor's hand alone."""

from __future__ import annotations

import pytest

from infra.config import ConfigError, LedgerConfig
from tests.infra.synth import Synthesized, as_list, synthesize


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    config = LedgerConfig.from_context({"signing_keys": "2"})
    return synthesize(tmp_path_factory.mktemp("rotated"), config)


def test_every_generation_is_kept_and_signs_for_the_anchor_alone(rotated: Synthesized) -> None:
    keys = dict(rotated.resources("AWS::KMS::Key"))
    assert len(keys) == 2
    for key in keys.values():
        assert (key["DeletionPolicy"], key["UpdateReplacePolicy"]) == ("Retain", "Retain")
        (denied,) = (s for s in key["Properties"]["KeyPolicy"]["Statement"] if s.get("Sid") == "NobodyElseSigns")
        assert denied["Effect"] == "Deny"


def test_functions_are_told_all_of_them_oldest_first(rotated: Synthesized) -> None:
    for _, function in rotated.resources("AWS::Lambda::Function"):
        told = rotated.render(function["Properties"]["Environment"]["Variables"]).get("INDELIBLE_SIGNING_KEY_IDS")
        assert told in (None, "<SigningKey>,<SigningKey2Key>")


def test_who_may_do_what_with_them(rotated: Synthesized) -> None:
    for role, statements in rotated.roles().items():
        may = {
            (resource, action)
            for statement in statements
            for resource in as_list(statement["Resource"])
            for action in as_list(statement["Action"])
            if action.startswith("kms:")
        }
        for one, other in (("<SigningKey.Arn>", "<SigningKey2Key.Arn>"), ("<SigningKey2Key.Arn>", "<SigningKey.Arn>")):
            assert {action for key, action in may if key == one} == {action for key, action in may if key == other}
        if role != "AnchorRole":
            assert {action for _, action in may} <= {"kms:GetPublicKey"}


@pytest.mark.parametrize("value", [0, "0", -1, 25, 100, "two", True])
def test_not_every_number_of_generations(value: object) -> None:
    with pytest.raises(ConfigError, match="signing_keys"):
        LedgerConfig.from_context({"signing_keys": value})
