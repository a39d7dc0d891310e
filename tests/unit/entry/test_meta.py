# SPDX-License-Identifier: Apache-2.0
"""The public endpoints: they say what was promised, and nothing about where things are."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from indelible import __version__
from indelible.domain import note
from indelible.domain.keyring import KeyRing
from indelible.entry import mcp_tools, meta, openapi, rest
from indelible.entry.env import Settings
from indelible.entry.meta import Meta
from indelible.entry.telemetry import PowertoolsTelemetry
from indelible.errors import Unavailable
from tests.fakes.second import FakeSecondSigner

KEY = bytes(range(32))


@dataclass
class Context:
    aws_request_id: str = "req-1"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


@dataclass
class HandClock:
    now: int = 1_774_000_000_000

    def now_ms(self) -> int:
        return self.now

    def sleep_ms(self, duration_ms: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Probe:
    found: str | None = None
    asked: int = 0

    def trouble(self) -> str | None:
        self.asked += 1
        return self.found


@dataclass
class Keys:
    down: bool = False

    def ring(self) -> KeyRing:
        if self.down:
            raise Unavailable("KMS could not be reached: EndpointConnectionError")
        return KeyRing.of_one("my-ledger", KEY)


@dataclass
class Notes:
    notes: list[dict[str, Any]] = field(default_factory=list)

    def count(self, name: str, value: float = 1, *, unit: str = "Count") -> None:
        raise AssertionError("nothing here is counted")

    def note(self, message: str, **fields: str | int | float | None) -> None:
        self.notes.append({"message": message, **fields})


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


class World:
    def __init__(self) -> None:
        self.clock, self.probe, self.keys, self.notes = HandClock(), Probe(), Keys(), Notes()
        settings = Settings(
            ledger_name="my-ledger",
            bucket="secret-bucket-name",
            table="secret-table-name",
            lock_mode="COMPLIANCE",
            retention_days=2555,
        )
        self.api = Meta(
            settings=settings, probe=self.probe, keys=self.keys.ring, clock=self.clock, telemetry=self.notes
        )

    def get(self, path: str, **headers: str) -> dict[str, Any]:
        event = {"routeKey": f"GET {path}", "headers": {k.replace("_", "-"): v for k, v in headers.items()}}
        return rest.serve(event, Context(), api=lambda: self.api, telemetry=PowertoolsTelemetry(), clock=self.clock)


@pytest.fixture
def world() -> World:
    return World()


def test_health_has_the_shape_that_customers_were_shown(world: World) -> None:
    answer = world.get("/health")
    assert answer["statusCode"] == 200
    assert list(json.loads(answer["body"]).items()) == [
        ("status", "healthy"),
        ("server", "indelible"),
        ("version", __version__),
        ("tools_available", 3),
        ("s3_connected", True),
    ]
    assert answer["headers"]["cache-control"] == "no-store"


def test_without_its_bucket_it_is_unhealthy_and_says_why_only_in_the_log(world: World) -> None:
    world.probe.found = "403"
    answer = world.get("/health")
    assert answer["statusCode"] == 503
    told = json.loads(answer["body"])
    assert (told["status"], told["s3_connected"]) == ("unhealthy", False)
    assert told.keys() == {"status", "server", "version", "tools_available", "s3_connected"}
    assert world.notes.notes == [{"message": "unhealthy", "s3": "403"}]


def test_the_bucket_is_asked_every_few_seconds_whoever_asks_how_often(world: World) -> None:
    for _ in range(50):
        world.get("/health")
    assert world.probe.asked == 1
    world.clock.now += 5_000
    world.probe.found = "ReadTimeoutError"
    assert world.get("/health")["statusCode"] == 503
    world.clock.now += 5_000
    world.probe.found = None
    assert world.get("/health")["statusCode"] == 200
    assert world.probe.asked == 3


def test_a_clock_that_went_back_does_not_freeze_the_answer(world: World) -> None:
    world.get("/health")
    world.clock.now -= 60_000
    world.get("/health")
    assert world.probe.asked == 2


def test_keys_as_verifier_key_and_pem(world: World) -> None:
    answer = world.get("/v1/keys")
    (key,) = json.loads(answer["body"])["keys"]
    assert answer["statusCode"] == 200
    name, hashed, encoded = key["verifier_key"].split("+", 2)
    assert (name, hashed) == ("my-ledger", key["key_id"])
    assert (key["origin"], key["algorithm"]) == ("my-ledger", "Ed25519")
    assert base64.b64decode(encoded) == b"\x01" + KEY
    assert load_pem_public_key(key["public_key_pem"].encode()).public_bytes_raw() == KEY  # type: ignore[union-attr]
    assert key["key_id"] == note.key_hash("my-ledger", KEY)


def test_without_a_second_key_there_is_none(world: World) -> None:
    assert json.loads(world.get("/v1/keys")["body"])["second"] is None


def test_the_second_key_as_verifier_key(world: World) -> None:
    second = FakeSecondSigner()
    world.api._second = second
    told = json.loads(world.get("/v1/keys")["body"])["second"]

    key = note.parse_verifier_key(told["verifier_key"])
    assert key == note.VerifierKey("my-ledger", second.public_key(), note.ML_DSA_44)
    assert told == {
        "key_id": key.key_id.hex(),
        "algorithm": "ML-DSA-44",
        "verifier_key": str(key),
        "origin": "my-ledger",
    }


def test_keys_wait_for_kms(world: World) -> None:
    world.keys.down = True
    answer = world.get("/v1/keys")
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "1")
    assert json.loads(answer["body"])["error"]["code"] == "UNAVAILABLE"


def test_the_contract_is_served_as_it_is_checked_in(world: World) -> None:
    answer = world.get("/openapi.json")
    assert answer["body"].encode() == openapi.encode()
    assert answer["headers"]["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["/openapi.json", "/v1/keys"])
def test_whoever_has_it_is_not_sent_it_again(world: World, path: str) -> None:
    etag = world.get(path)["headers"]["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = world.get(path, if_none_match=known)
        assert (answer["statusCode"], answer["body"], answer["headers"]["etag"]) == (304, "", etag)
    assert world.get(path, if_none_match='"other"')["statusCode"] == 200


def test_nothing_names_what_belongs_to_the_account(world: World) -> None:
    told = "".join(json.dumps(world.get(path)) for path in ("/health", "/v1/keys", "/openapi.json"))
    assert "secret-" not in told
    assert "my-ledger" not in json.dumps(world.get("/health"))


def test_a_body_on_a_get_is_nobody_s_business(world: World) -> None:
    event = {"routeKey": "GET /health", "headers": {}, "body": "{" * 9}
    answer = rest.serve(event, Context(), api=lambda: world.api, telemetry=PowertoolsTelemetry(), clock=world.clock)
    assert answer["statusCode"] == 200


def test_the_tools_that_health_counts_are_those_of_the_mcp_endpoint() -> None:
    # Counted by hand: loading them would cost every cold start of this function their schemas.
    assert len(mcp_tools.TOOLS) == meta.TOOLS
