# SPDX-License-Identifier: Apache-2.0
"""Every route of the REST API: its request, its response and its errors.

Invariant: a route lists every error class that it can answer with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from indelible import errors
from indelible.entry import export_models, meta_models, models, proof_models
from indelible.entry import openapi_examples as examples
from indelible.errors import LedgerError


def _error_classes() -> Iterator[type[LedgerError]]:
    # Of errors.py, whatever else is loaded; without InvalidRequest, which is only a base.
    for member in vars(errors).values():
        if isinstance(member, type) and issubclass(member, LedgerError) and member is not errors.InvalidRequest:
            yield member


_ADMINISTRATION_ERRORS = frozenset({errors.OrgExists})
_RECORDING_ERRORS = frozenset({errors.IdempotencyConflict, errors.Contention})
_RECORD_ERRORS = frozenset({errors.EvidenceBroken, errors.NotSealed})
_LOOKUP_ERRORS = frozenset({errors.NotFound})
# An error of no other set can be the answer to any signed request.
_COMMON_ERRORS = (
    frozenset(_error_classes()) - _ADMINISTRATION_ERRORS - _RECORDING_ERRORS - _RECORD_ERRORS - _LOOKUP_ERRORS
)
_SERVICE_ERRORS = frozenset({LedgerError, errors.ConfigurationError, errors.Unavailable})


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation.

    `key` is its HTTP API route key, `name` its operationId. `cacheable`: the response has an ETag. `other_status`:
    another status with the same body.
    """

    key: str
    name: str
    tag: str
    summary: str
    description: str
    response: type[Struct] | None
    response_example: dict[str, Any] | None
    errors: frozenset[type[LedgerError]]
    request: type[Struct] | None = None
    request_example: dict[str, Any] | None = None
    cacheable: bool = False
    other_status: int | None = None


ROUTES = (
    Route(
        key="POST /v1/record",
        name="record_audit_event",
        tag="Records",
        summary="Record one event",
        description="Seals the event and returns its receipt. Credentials are removed first.",
        request=models.RecordRequest,
        request_example=examples.RECORD,
        response=models.RecordResponse,
        response_example=examples.RECORD_RESPONSE,
        errors=_COMMON_ERRORS | _RECORDING_ERRORS | _RECORD_ERRORS,
    ),
    Route(
        key="POST /v1/record/batch",
        name="record_audit_events",
        tag="Records",
        summary="Record up to a hundred events",
        description="They become consecutive records, with one receipt each. A batch is refused as a whole if any of "
        "its events is not well formed.",
        request=models.BatchRequest,
        request_example=examples.BATCH,
        response=models.BatchResponse,
        response_example={"status": "recorded", "receipts": [examples.RECEIPT]},
        errors=_COMMON_ERRORS | _RECORDING_ERRORS | _RECORD_ERRORS,
    ),
    Route(
        key="POST /v1/prove",
        name="get_audit_proof",
        tag="Evidence",
        summary="Prove one record",
        description="Finds a record of your organisation by `audit_id` or by `tx_hash`. Returns the stored record, its "
        "receipt, the state of the object in S3, and its proofs: checkpoint, ledger log, and external anchors. "
        "Text that cannot be an id is not found, like an id that does not exist.",
        request=models.ProveRequest,
        request_example=examples.PROVE,
        response=models.ProveResponse,
        response_example=None,
        errors=_COMMON_ERRORS | _RECORD_ERRORS | _LOOKUP_ERRORS,
    ),
    Route(
        key="POST /v1/consistency",
        name="prove_consistency",
        tag="Evidence",
        summary="Prove that a log only grew",
        description="For two published checkpoints of your organisation's log, or of the ledger's own: both notes, and "
        "the consistency proof between them (RFC 9162). A size that no checkpoint has is not found.",
        request=models.ConsistencyRequest,
        request_example=examples.CONSISTENCY,
        response=proof_models.ConsistencyResponse,
        response_example=None,
        errors=_COMMON_ERRORS | _LOOKUP_ERRORS | {errors.EvidenceBroken},
    ),
    Route(
        key="POST /v1/verify",
        name="verify_chain",
        tag="Evidence",
        summary="Verify a range of the chain",
        description="Re-reads a range from the bucket, by sequence or by time (without either, the whole chain), "
        "checks every hash and link, and reports all failures. When `complete` is false, ask again from `next_seq`.",
        request=models.VerifyRequest,
        request_example=examples.VERIFY,
        response=models.VerifyResponse,
        response_example=examples.VERIFY_RESPONSE,
        errors=_COMMON_ERRORS | _RECORD_ERRORS,
    ),
    Route(
        key="POST /v1/export",
        name="export_evidence",
        tag="Evidence",
        summary="Export evidence",
        description="Packs a range of your chain, by sequence or by time, into a bundle that can be verified without "
        "the ledger, or into a view for reading, stored with the bundle that proves it. Short ranges are ready at "
        "once; for longer ones the status is `pending`: ask again with the `export_id`. The same range of the same "
        "state of the ledger is the same export.",
        request=export_models.ExportRequest,
        request_example=examples.EXPORT,
        response=export_models.ExportResponse,
        response_example=examples.EXPORT_RESPONSE,
        errors=_COMMON_ERRORS | _LOOKUP_ERRORS | {errors.EvidenceBroken},
    ),
    Route(
        key="GET /health",
        name="health",
        tag="Service",
        summary="Check the health of the ledger",
        description="Reports a check of the evidence bucket that is at most a few seconds old.",
        response=meta_models.HealthResponse,
        response_example=examples.HEALTH_RESPONSE,
        errors=_SERVICE_ERRORS,
        other_status=503,
    ),
    Route(
        key="GET /v1/keys",
        name="signing_keys",
        tag="Service",
        summary="The keys that checkpoints are signed with",
        description="As verifier keys of C2SP signed notes, and as PEM. Pin them when you begin to trust a ledger.",
        response=meta_models.KeysResponse,
        response_example=examples.KEYS_RESPONSE,
        errors=_SERVICE_ERRORS,
        cacheable=True,
    ),
    Route(
        key="GET /openapi.json",
        name="openapi",
        tag="Service",
        summary="This document",
        description="OpenAPI 3.1, with JSON Schema 2020-12.",
        response=None,
        response_example=None,
        errors=_SERVICE_ERRORS,
        cacheable=True,
    ),
)
