# SPDX-License-Identifier: Apache-2.0
"""What a configuration may be at most can still be deployed: AWS's own limits, held against the largest templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indelible.domain.note import COSIGNATURE, VerifierKey
from infra.config import ConfigError, LedgerConfig
from tests.infra.synth import Synthesized, synthesize

NAME = "a" * 31
BUCKET = "b" * 63
#: In the longest partition and Region.
ARN = "arn:aws-us-gov:%s:us-gov-west-1:123456789012:%s"
#: What references become, by how a rendered one begins.
LONGEST = {
    "<EvidenceBucket.Arn>": f"arn:aws-us-gov:s3:::{BUCKET}",
    "<EvidenceBucket>": BUCKET,
    "<ExportsBucket>": BUCKET,
    "<QueriesResults.Arn>": f"arn:aws-us-gov:s3:::{BUCKET}",
    "<LedgerTable>": f"{NAME}-ledger-LedgerTable12345678-ABCDEFGHIJKLM",
    "<MasterSecret>": ARN % ("secretsmanager", "secret:MasterSecret12345678-ABCDEFGHIJKL-abcdef"),
    "<ExportsPackFunction>": "f" * 64,
    "<AWS::Partition>": "aws-us-gov",
    "<AWS::Region>": "us-gov-west-1",
    "<AWS::AccountId>": "123456789012",
}


def filled(synthesized: Synthesized, value: Any) -> str:
    text = json.dumps(synthesized.render(value), separators=(",", ":"))
    for reference, longest in LONGEST.items():
        text = text.replace(reference, longest)
    return text


def test_the_largest_environment_fits(tmp_path: Path) -> None:
    keys = "k" * 36
    config = LedgerConfig.from_context(
        {
            "ledger_name": NAME,
            "signing_keys": "24",
            "ml_dsa": "true",
            "auth": "jwt",
            "jwt_issuer": "https://idp.example.com/",
            "jwt_audience": "ledger",
            "jwt_org_claim": "custom:organisation",
            "allowed_origins": [f"https://{number:03}.agents.example.com" for number in range(28)],
            "calendars": {f"calendar-{number}": f"https://{number}.calendar.example.com" for number in range(16)},
        }
    )
    synthesized = synthesize(tmp_path, config)
    for logical_id, function in synthesized.resources("AWS::Lambda::Function"):
        variables = function["Properties"]["Environment"]["Variables"]
        filled_in = json.loads(filled(synthesized, variables))
        filled_in["INDELIBLE_SIGNING_KEY_IDS"] = ",".join([keys] * 24)
        total = sum(len(name) + len(value) for name, value in filled_in.items())
        assert total <= 4096, (logical_id, total)
        assert "<" not in json.dumps({k: v for k, v in filled_in.items() if "ML_DSA" not in k}), filled_in


@pytest.mark.parametrize(
    ("context", "named"),
    [
        ({"allowed_origins": [f"https://{number:03}.agents.example.com" for number in range(100)]}, "allowed_origins"),
        (
            {
                "signing_keys": 24,
                "allowed_origins": ["https://a.example.com"] * 20,
                "witness_quorum": 1,
                "witnesses": {
                    str(
                        VerifierKey(f"witness-{number}.example/{'w' * 20}", bytes(32), COSIGNATURE)
                    ): "https://w.example"
                    for number in range(15)
                },
            },
            "witnesses",
        ),
    ],
)
def test_what_does_not_fit_into_the_environment_is_named(context: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=f"context key '{named}'.*4 KB"):
        LedgerConfig.from_context(context)


def auditor(length: int, many: int) -> dict[str, object]:
    names = [f"{number:03}".ljust(length, "o") for number in range(many)]
    return {
        "ledger_name": NAME,
        "auditor_account": "210987654321",
        "auditor_external_id": "x9f2kq83hs7dm1zp",
        "auditor_organisations": names,
    }


def most(length: int) -> int:
    """How many organisations with names of this length are taken."""
    for many in range(50, 0, -1):
        try:
            LedgerConfig.from_context(auditor(length, many))
        except ConfigError as error:
            refused = error.key
        else:
            return many
        assert refused == "auditor_organisations"
    raise AssertionError("not even one")


def test_as_many_organisations_as_a_role_s_policy_holds(tmp_path: Path) -> None:
    assert [most(length) for length in (12, 27, 63)] == [50, 50, 34]
    for length in (27, 63):
        directory = tmp_path / str(length)
        synthesized = synthesize(directory, LedgerConfig.from_context(auditor(length, most(length))))
        template = synthesized.template("auditor")
        roles = [one for one in template["Resources"].values() if one["Type"] == "AWS::IAM::Role"]
        assert len(roles) == 2
        for role in roles:
            (policy,) = role["Properties"]["Policies"]
            text = filled(synthesized, policy["PolicyDocument"])
            assert len(text) <= 10_240, (length, len(text))
