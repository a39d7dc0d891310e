# SPDX-License-Identifier: Apache-2.0
"""The signing key is rotated by a deployment: what the old key signed stays proven, and the new one is introduced."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from indelible.domain.keyring import KeyRing
from indelible.domain.note import parse_verifier_key
from indelible.domain.proof import parse_tlog_proof, verify_tlog_proof
from local import deploy
from local.env import Outputs
from local.state import State
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.function import function
from tests.e2e.helpers.second import another_ledger
from tests.e2e.helpers.tenant import Tenant, fresh, http


def published(ledger: Outputs) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = http().get(f"{ledger.api_url}/v1/keys").json()["keys"]
    return keys


def proven(org: Tenant, tx_hash: str) -> dict[str, Any]:
    answer = org.post("/v1/prove", {"tx_hash": tx_hash})
    assert answer.status_code == 200, answer.text
    proof: dict[str, Any] = answer.json()
    assert proof["anchoring"] == "anchored"
    return proof


def signer(org: Tenant, tx_hash: str, keys: dict[int, bytes]) -> int:
    """Which generation's key alone opens the proof of this record."""
    proof = proven(org, tx_hash)
    opens = []
    for generation, key in keys.items():
        try:
            read = parse_tlog_proof(proof["inclusion"]["tlog_proof"])
            origin = f"{org.ledger.ledger_name}/{org.org_id}"
            verify_tlog_proof(read, bytes.fromhex(tx_hash), origin=origin, public_keys=[key])
        except ValueError:
            continue
        opens.append(generation)
    (generation,) = opens
    return generation


def test_a_rotation_by_deployment(ledger: Outputs, ledger_state: Path) -> None:
    directory = ledger_state / "rotated"
    rotated = another_ledger(ledger, directory, ledger_name="rotated")
    org = fresh(rotated, "acme")
    first = org.record()["tx_hash"]
    Admin.of(rotated).anchor(org.org_id)
    (before,) = published(rotated)
    assert (before["generation"], before["valid_until"]) == (1, None)

    port = urlsplit(ledger.endpoint_url).port or 0
    deploy.deploy(State(directory), port, settings={"stage": "dev", "ledger_name": "rotated", "signing_keys": "2"})
    proven(org, first)  # also before the new key is pinned
    assert [key["generation"] for key in published(rotated)] == [1]
    Admin.of(rotated).ledger_log()  # a round in which nobody has recorded
    assert [key["generation"] for key in published(rotated)] == [2, 1]
    second = org.record()["tx_hash"]
    Admin.of(rotated).anchor(org.org_id)

    new, old = published(rotated)
    assert (new["generation"], old["generation"]) == (2, 1)
    assert old["verifier_key"] == before["verifier_key"]
    assert old["valid_until"] == new["valid_from"] > before["valid_from"]
    pinned = parse_verifier_key(before["verifier_key"])
    statements = [key["statement"].encode() for key in (old, new)]
    ring = KeyRing.trusting(pinned.public_key, statements, ledger_name="rotated")
    keys = {key.generation: key.public_key for key in ring.keys}
    assert keys[2] == parse_verifier_key(new["verifier_key"]).public_key
    assert (signer(org, first, keys), signer(org, second, keys)) == (1, 2)
    assert org.verify()["valid"] is True
    with function(Admin.of(rotated), "prove", source="prove") as run:
        run.request("POST /v1/prove", org.signed({"tx_hash": second}))
    assert run.refused() == []
    assert any("/_ledger/_log/keys/" in need.resource for need in run.needed), "with two keys it reads their statements"
