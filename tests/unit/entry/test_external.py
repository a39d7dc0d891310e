# SPDX-License-Identifier: Apache-2.0
"""The handler of external anchoring, and the variable that names the providers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indelible.domain.note import COSIGNATURE, ED25519, VerifierKey
from indelible.entry import external, external_settings
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import ConfigurationError, EvidenceBroken, InvalidField
from indelible.ports.external import NoAnswer
from tests.fakes.external_world import ExternalWorld
from tests.unit.entry.mcp_world import Context

WITNESS = VerifierKey("witness.example/w", bytes(32), COSIGNATURE)


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")


@pytest.fixture
def there() -> ExternalWorld:
    made = ExternalWorld()
    made.grow()
    return made


def run(there: ExternalWorld, event: dict[str, Any]) -> dict[str, Any]:
    return external.run(
        event, Context(), anchors=there.external_anchors, clock=there.world.clock, telemetry=PowertoolsTelemetry()
    )


@pytest.mark.parametrize("kind", ["news", "org", "sweep"])
def test_the_summary_says_who_did_what(there: ExternalWorld, kind: str) -> None:
    there.calendar.failure = NoAnswer("x")
    there.world.clock.advance(2500)
    done = {"stored": 1, "completed": 0, "failure": None, "waiting_seconds": 0}
    summary = run(there, {"run": kind})
    assert summary == {
        "failed": None,
        "tree_size": 1,
        "cosignatures": 1,
        "witnessed": True,
        "tracks": {
            "rfc3161-tsa": done,
            "ots-alice": {"stored": 0, "completed": 0, "failure": "NO_ANSWER", "waiting_seconds": 2},
            "witness-eve.example_w": done,
        },
    }
    assert json.loads(json.dumps(summary)) == summary, "Step Functions carries it"


def test_only_the_sweep_asks_for_what_takes_its_time(there: ExternalWorld) -> None:
    there.run()
    for kind, upgrades in (("news", 0), ("org", 0), ("sweep", 1)):
        run(there, {"run": kind})
        assert there.calendar.upgrades == upgrades


@pytest.mark.parametrize("event", [{}, {"run": "elsewhere"}, {"run": None}, {"run": ["news"]}])
def test_what_it_does_not_know_it_refuses(there: ExternalWorld, event: dict[str, Any]) -> None:
    with pytest.raises(InvalidField):
        run(there, event)
    assert there.authority.asked == []


def test_a_log_that_cannot_be_read_is_raised(there: ExternalWorld) -> None:
    there.world.administrator.insert(f"_ledger/_log/checkpoints/{9:012d}", b"junk", None)
    with pytest.raises(EvidenceBroken):
        run(there, {"run": "news"})


# -- the providers ------------------------------------------------------------------------------------------


def test_nobody_by_default() -> None:
    nobody = external_settings.load("")
    assert nobody == external_settings.ExternalSettings()
    assert (nobody.timestamp_authorities, nobody.calendars, nobody.witness_keys()) == ({}, {}, {})
    assert nobody.witness_quorum is None


def test_witnesses_are_known_by_their_keys() -> None:
    said = {"witnesses": {str(WITNESS): "https://w.example"}, "witness_quorum": 1}
    assert external_settings.load(json.dumps(said)).witness_keys() == {WITNESS: "https://w.example"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"calendar": {}}',
        '{"calendars": {"a": 7}}',
        '{"calendars": {"a": "ftp://a.example"}}',
        '{"witness_quorum": 0}',
    ],
)
def test_what_cannot_be_read_is_a_fault_of_the_configuration(text: str) -> None:
    with pytest.raises(ConfigurationError, match="INDELIBLE_EXTERNAL_ANCHORS"):
        external_settings.load(text)


@pytest.mark.parametrize("key", ["w", str(VerifierKey("w", bytes(32), ED25519))])
def test_only_a_witness_s_key_is_one(key: str) -> None:
    named = external_settings.ExternalSettings(witnesses={key: "https://w.example"})
    with pytest.raises(ConfigurationError, match="witnesses"):
        named.witness_keys()
