# SPDX-License-Identifier: Apache-2.0
"""Who is not known learns nothing: not even whether there is anything to know (G6)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from local.env import Outputs
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.cases import BATCH, PROVE, RECORD, VERIFY
from tests.e2e.helpers.tenant import EVENT, fresh, post, registry


@pytest.mark.parametrize(
    ("path", "body"), [(RECORD, EVENT), (BATCH, {"events": [EVENT]}), (PROVE, {"audit_id": "x"}), (VERIFY, {})]
)
def test_strangers_all_hear_the_same(ledger: Outputs, path: str, body: dict[str, Any]) -> None:
    org, other, gone = (fresh(ledger, name) for name in ("known", "other", "gone"))
    register = registry(ledger)
    new = register.rotate(org.org_id)
    register.disable(org.org_id, org.key_id)
    register.disable(gone.org_id)
    strangers = {
        "unknown organisation": replace(org, org_id="nobody-here"),
        "wrong secret": replace(org, hmac_secret="0" * 64),
        "another organisation's secret": replace(org, hmac_secret=other.hmac_secret),
        "disabled key": org,
        "disabled key, named": replace(org, named_key=org.key_id),
        "unknown key": replace(org, named_key="k9", hmac_secret=new.hmac_secret),
        "another key's secret": replace(org, named_key=new.key_id),
        "disabled organisation": gone,
    }
    answers = {name: stranger.post(path, body) for name, stranger in strangers.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(strangers, 401)
    bodies = {answer.content for answer in answers.values()}
    assert len(bodies) == 1
    assert json.loads(bodies.pop()) == {
        "error": {
            "code": "UNAUTHENTICATED",
            "message": "org_id, key_id and signature do not belong together",
            "field": "signature",
            "retryable": False,
        }
    }
    assert len({tuple(answer.headers) for answer in answers.values()}) == 1
    admin = Admin.of(ledger)
    for silent in (org, other, gone):
        assert (admin.head(silent.org_id), admin.versions(f"{silent.org_id}/")) == (0, [])


def test_what_was_signed_is_the_whole_request(ledger: Outputs) -> None:
    org = fresh(ledger, "signed")
    signed = org.signed({**EVENT, "idempotency_key": "k", "reason": "because"})
    changed = [
        {**signed, "reason": "Because"},
        {**signed, "idempotency_key": "l"},
        {**signed, "actor": "someone"},
        {name: value for name, value in signed.items() if name != "reason"},
        {**signed, "payload": {**signed["payload"], "tokens": 12501}},
    ]
    for body in changed:
        assert (post(ledger, RECORD, body).status_code) == 401
    # Nor is the signature of one route's arguments good on another, unless they are the same arguments.
    assert post(ledger, PROVE, signed).status_code == 400
