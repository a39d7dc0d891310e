# SPDX-License-Identifier: Apache-2.0
"""Examples and prose of the OpenAPI document.

Invariant: every example is valid under its schema, and every signature verifies.
"""

from __future__ import annotations

from typing import Any, Final

EXAMPLE_SECRET: Final = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"  # noqa: S105 -- published
EXAMPLE_SIGNED: Final = (
    '{"event_type":"AGENT_DECISION","org_id":"acme-corp",'
    '"payload":{"agent":"document-classifier","decision":"APPROVED","tokens":12500}}'
)
EXAMPLE_SIGNATURE: Final = "6e4f0015075f773e231267ec0f442da9944ca28252c9a57d85f5098ee4fc65ac"

DESCRIPTION: Final = f"""\
An audit ledger for AI decisions that nobody can erase. Every record is sealed in S3 under Object Lock and linked into
its organisation's hash chain before its receipt is returned. The MCP tools behind `POST /mcp` take the same arguments
and return the same responses.

## Signing

Every `POST` is signed in its body:

1. Take all arguments except `signature` as one JSON object.
2. Serialize it with RFC 8785 (JCS): members sorted, no white space, numbers as ECMAScript prints them.
3. `signature` is the lower-case hex HMAC-SHA256 of that. The key is your `hmac_secret` as text, not decoded from hex.
4. Send all arguments and `signature` as JSON, in any order and spacing: the value is signed, not the text.

`signed_at`, `idempotency_key` and `key_id` are signed like everything else. A ledger with strict signatures requires
`signed_at`, and `idempotency_key` for recording.

To test your own code: under the secret `{EXAMPLE_SECRET}` the serialization
`{EXAMPLE_SIGNED}` has the signature `{EXAMPLE_SIGNATURE}`.

A ledger may instead authenticate callers by a token (JWT, `auth=jwt`) or an AWS signature (SigV4, `auth=iam`). Then
`signature` is optional, and with a token `org_id` may be omitted; docs/identities.md says what to send.

## Retrying

A request that was answered with `retryable: true` may be sent again, after `Retry-After` seconds and then with
increasing delays. With the same `idempotency_key` the event is recorded once, whatever happened to the first attempt.
"""

EVENT: Final[dict[str, Any]] = {
    "event_type": "AGENT_DECISION",
    "payload": {
        "agent": "document-classifier",
        "input_hash": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "output_hash": "sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9",
        "decision": "APPROVED",
        "tokens": 12500,
    },
    "aow_context": {
        "intent_id": "document.classify",
        "agent_urn": "urn:axis:agent:classifier",
        "policy_urn": "urn:axis:policy:pii-required",
        "outcome": "SUCCESS",
    },
}
RECORD: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    **EVENT,
    "signature": "ead0b9e37eeb99c161e352ceaacb46191528f497d16800e92a5b9b9b6ccd33d8",
}
BATCH: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    "events": [
        EVENT,
        {"event_type": "POLICY_GATE", "level": "decision", "reason": "rule R-7 matched", "payload": {"gate": "ALLOW"}},
    ],
    "idempotency_key": "run-7421/step-3",
    "signature": "08cf0cd5ba52bd5772b448324db4da3cce2168e45b5b5b2bed2cae31dde464d2",
}
PROVE: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    "audit_id": "019d0b9f-e509-8000-8000-023b2265b1f5",
    "signature": "356ef95c118e75e76545a08e086b064b3d3150069d9991b1929dff91392a05a1",
}
CONSISTENCY: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    "old_size": 1000,
    "new_size": 1300,
    "signature": "7be9c5940898a1a25ff5458a57c5260871d875625a8b809da5d09b1f31062e71",
}
VERIFY: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    "start_seq": 1,
    "end_seq": 500,
    "signature": "a113442ee1c3411b1b573ae5e3d3e9745a959d361a9fe6357ea8db7debc4129f",
}
EXPORT: Final[dict[str, Any]] = {
    "org_id": "acme-corp",
    "start_seq": 1,
    "end_seq": 500,
    "signature": "a113442ee1c3411b1b573ae5e3d3e9745a959d361a9fe6357ea8db7debc4129f",
}

_TX_HASH = "9f3ac7d1b2e44f6f0e5cbb1a3d27e7b6c1f0a8d94e2b75c3a6d81f0b9e4c2d17"
_S3_KEY = "acme-corp/2026/03/20/000000000142-019d0b9f-e509-8000-8000-023b2265b1f5.json"
RECEIPT: Final[dict[str, Any]] = {
    "audit_id": "019d0b9f-e509-8000-8000-023b2265b1f5",
    "tx_hash": _TX_HASH,
    "sequence": 142,
    "prev_hash": "4b2ea8f3c1d90a7be6f5d2c38194ab07d6e1f2a3b4c5d60718293a4b5c6d7e8f",
    "timestamp": "2026-03-20T14:22:01.481Z",
    "s3_key": _S3_KEY,
    "s3_version_id": "qLbnBBSWbiPEG5EEvKmQJPSCBVZ3WDOm",
    "s3_lock_mode": "COMPLIANCE",
    "retention_until": "2033-03-19T00:00:00.000Z",
}
RECORD_RESPONSE: Final[dict[str, Any]] = {"status": "recorded", "receipt": RECEIPT}
EXPORT_RESPONSE: Final[dict[str, Any]] = {
    "status": "ready",
    "export_id": "2171631d4b68f0edc5f00a9bff77907e",
    "format": "bundle",
    "first_sequence": 1,
    "last_sequence": 500,
    "url": "https://exports.s3.eu-central-1.amazonaws.com/acme-corp/2171631d4b68f0edc5f00a9bff77907e/…",
    "expires_at": "2026-03-20T14:37:01.000Z",
    "kept_until": "2026-03-27T14:22:01.481Z",
    "sha256": "3f0c1f5d0f0c8a5e6b9b52b1c2f41d8f5a7c7f0b6a2f9de2cb3d7a90f1c9e4a7",
    "bytes": 871204,
    "records": 500,
    "valid": True,
    "proved_by": None,
    "code": None,
}
VERIFY_RESPONSE: Final[dict[str, Any]] = {
    "valid": True,
    "entries_checked": 500,
    "first_broken_at": None,
    "verification_time_ms": 312,
    "failures": [],
    "failures_total": 0,
    "pending": [],
    "complete": True,
    "next_seq": None,
    "checkpoint": None,
}
HEALTH_RESPONSE: Final[dict[str, Any]] = {
    "status": "healthy",
    "server": "indelible",
    "version": "1.0.0",
    "tools_available": 3,
    "s3_connected": True,
}
KEYS_RESPONSE: Final[dict[str, Any]] = {
    "keys": [
        {
            "key_id": "6d136a7b",
            "algorithm": "Ed25519",
            "verifier_key": "indelible+6d136a7b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4",
            "public_key_pem": (
                "-----BEGIN PUBLIC KEY-----\n"
                "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
                "-----END PUBLIC KEY-----\n"
            ),
            "origin": "indelible",
            "generation": 1,
            "valid_from": "2026-03-20T14:25:00.000Z",
            "valid_until": None,
            "statement": (
                "indelible/signing-key@v1\n"
                "indelible\n"
                "1\n"
                "indelible+6d136a7b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4\n"
                "2026-03-20T14:25:00.000Z\n"
                "GENESIS\n"
                "\n"
                "— indelible bRNqe23gw3J02E1hfHnDGO/ET6DhcwdPfg6Q6pAf8iL2hYGUQIff07OBMtfhxiebK5b+b+jQHGsWk6n67v"
                "bqQEvYugM=\n"
            ),
        }
    ],
    "second": None,
}
