# SPDX-License-Identifier: Apache-2.0
"""POST /v1/consistency over REST: who may ask, of which log, and what is refused how."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from indelible.domain.checkpoint import open_checkpoint
from indelible.domain.merkle import verify_consistency
from tests.unit.entry.tenants import OURS, THEIRS, Tenants

ROUTE = "POST /v1/consistency"


def grown() -> Tenants:
    """Ours has checkpoints of size 2 and 5, theirs of 3; the ledger's own log has them all."""
    tenants = Tenants()
    for org_id, count in ((OURS, 2), (THEIRS, 3), (OURS, 3)):
        tenants.record(org_id, count)
        tenants.world.anchored(org_id=org_id)
        tenants.world.logged()
    return tenants


def ask(tenants: Tenants, old: int, new: int, **more: Any) -> tuple[int, dict[str, Any]]:
    answer = tenants.rest(ROUTE, {"old_size": old, "new_size": new, **more})
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("log", "old", "new", "origin"),
    [({}, 2, 5, f"indelible/{OURS}"), ({"log": "organisation"}, 5, 5, f"indelible/{OURS}"),
     ({"log": "ledger"}, 1, 3, "indelible")],
)  # fmt: skip
def test_both_notes_and_the_hashes_between_them(log: dict[str, str], old: int, new: int, origin: str) -> None:
    tenants = grown()
    key = tenants.world.signer.public_key()

    status, found = ask(tenants, old, new, **log)

    assert status == 200
    first, second = (
        open_checkpoint(found[side]["note"], origin=origin, public_keys=[key]).checkpoint for side in ("old", "new")
    )
    for side, checkpoint in (("old", first), ("new", second)):
        assert found[side]["checkpoint"] == {
            "origin": origin,
            "tree_size": checkpoint.size,
            "root_hash": checkpoint.root.hex(),
        }
    hashes = [base64.b64decode(one) for one in found["hashes"]]
    verify_consistency(first.size, second.size, first.root, second.root, hashes)


def test_another_organisation_s_sizes_are_as_unknown_as_none_at_all() -> None:
    tenants = grown()
    theirs, none = ask(tenants, 3, 3), ask(tenants, 4, 4)
    assert theirs == none
    assert (none[0], none[1]["error"]["code"], none[1]["error"]["field"]) == (404, "NOT_FOUND", "old_size")


def test_nobody_asks_in_another_s_name() -> None:
    tenants = grown()
    for arguments in ({"old_size": 3, "new_size": 3}, {"old_size": 1, "new_size": 3, "log": "ledger"}):
        answer = tenants.rest(ROUTE, arguments, by=OURS, of=THEIRS)
        assert answer["statusCode"] == 401


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ({"old_size": 5, "new_size": 2}, "INVALID_FIELD", "old_size"),
        ({"old_size": 0, "new_size": 2}, "INVALID_FIELD", "old_size"),
        ({"old_size": 2, "new_size": 10**12}, "INVALID_FIELD", "new_size"),
        ({"old_size": "2", "new_size": 5}, "INVALID_FIELD", "old_size"),
        ({"old_size": 2}, "MISSING_FIELD", "new_size"),
        ({"old_size": 2, "new_size": 5, "log": "_ledger"}, "INVALID_FIELD", "log"),
        ({"old_size": 2, "new_size": 5, "owner": "globex"}, "UNKNOWN_FIELD", "owner"),
    ],
)
def test_what_is_not_well_formed_names_its_field(arguments: dict[str, Any], code: str, field: str) -> None:
    answer = grown().rest(ROUTE, arguments)
    error = json.loads(answer["body"])["error"]
    assert (answer["statusCode"], error["code"], error["field"]) == (400, code, field)


def test_a_log_that_was_changed_is_no_answer() -> None:
    tenants = grown()
    name = f"{OURS}/_log/checkpoints/{2:012d}"
    data = tenants.world.bucket.versions(name)[0].data
    tenants.world.administrator.rewrite(name, data[:-4] + b"AAA\n")

    status, answer = ask(tenants, 2, 5)

    assert (status, answer["error"]["code"]) == (409, "EVIDENCE_BROKEN")


def test_a_pending_proof_says_when_to_ask_again_and_an_anchored_one_does_not() -> None:
    tenants = grown()
    tenants.world.starts.begin(tenants.world.clock.now - 10_000)
    (receipt,) = tenants.record(OURS)
    asked = {"audit_id": receipt["audit_id"]}

    pending = json.loads(tenants.rest("POST /v1/prove", asked)["body"])
    tenants.world.anchored()
    anchored = json.loads(tenants.rest("POST /v1/prove", asked)["body"])
    tenants.world.logged()
    logged = json.loads(tenants.rest("POST /v1/prove", asked)["body"])

    assert (pending["anchoring"], pending["next_anchor_at"], pending["ledger"]) == (
        "pending",
        "2026-03-20T14:26:51.481Z",
        None,
    )
    assert (anchored["anchoring"], anchored["next_anchor_at"], anchored["ledger"]) == ("anchored", None, None)
    assert logged["ledger"]["checkpoint"]["origin"] == "indelible"
    assert {**logged, "ledger": None} == anchored
