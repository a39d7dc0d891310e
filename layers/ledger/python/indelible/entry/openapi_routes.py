# SPDX-License-Identifier: Apache-2.0
"""Every route of the REST API: what it takes, what it answers, and which refusals can come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from indelible import errors
from indelible.entry import export_models, models, proof_models
from indelible.entry import openapi_examples as examples
from indelible.errors import LedgerError


def _kinds() -> Iterator[type[LedgerError]]:
    # Those of errors.py, whatever else is loaded; not the base of those that name what is wrong with a request.
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, LedgerError) and kind is not errors.InvalidRequest:
            yield kind


_OF_ADMINISTRATORS = frozenset({errors.OrgExists})
_OF_RECORDING = frozenset({errors.IdempotencyConflict, errors.Contention})
_OF_STORED_RECORDS = frozenset({errors.EvidenceBroken, errors.NotSealed})
_OF_LOOKUPS = frozenset({errors.NotFound})
# What is in no set can happen to any signed request.
_ANYWHERE = frozenset(_kinds()) - _OF_ADMINISTRATORS - _OF_RECORDING - _OF_STORED_RECORDS - _OF_LOOKUPS
_SERVICE = frozenset({LedgerError, errors.ConfigurationError, errors.Unavailable})


@dataclass(frozen=True, kw_only=True)
class Route:
    """One operation. `cacheable`: answers with an ETag; `also`: another status with the same body."""

    key: str
    name: str
    tag: str
    summary: str
    description: str
    answer: type[Struct] | None
    answered: dict[str, Any] | None
    refusals: frozenset[type[LedgerError]]
    request: type[Struct] | None = None
    asked: dict[str, Any] | None = None
    cacheable: bool = False
    also: int | None = None


ROUTES = (
    Route(
        key="POST /v1/record",
        name="record_audit_event",
        tag="Records",
        summary="Record one event",
        description="Seals the event and returns its receipt. Credentials are taken out before: nothing can be later.",
        request=models.RecordRequest,
        asked=examples.RECORD,
        answer=models.RecordResponse,
        answered=examples.RECORDED,
        refusals=_ANYWHERE | _OF_RECORDING | _OF_STORED_RECORDS,
    ),
    Route(
        key="POST /v1/record/batch",
        name="record_audit_events",
        tag="Records",
        summary="Record up to a hundred events",
        description="They become consecutive records, with one receipt each. A batch is refused as a whole when any of "
        "its events is not well formed.",
        request=models.BatchRequest,
        asked=examples.BATCH,
        answer=models.BatchResponse,
        answered={"status": "recorded", "receipts": [examples.RECEIPT]},
        refusals=_ANYWHERE | _OF_RECORDING | _OF_STORED_RECORDS,
    ),
    Route(
        key="POST /v1/prove",
        name="get_audit_proof",
        tag="Evidence",
        summary="Prove one record",
        description="By `audit_id` or by `tx_hash`, within your own organisation: the stored record, its receipt, what "
        "S3 says about the object now, and the way up: checkpoint, ledger, and external anchors. "
        "What is no id at all is not found, like an id that does not exist.",
        request=models.ProveRequest,
        asked=examples.PROVE,
        answer=models.ProveResponse,
        answered=None,
        refusals=_ANYWHERE | _OF_STORED_RECORDS | _OF_LOOKUPS,
    ),
    Route(
        key="POST /v1/consistency",
        name="prove_consistency",
        tag="Evidence",
        summary="Prove that a log only grew",
        description="Between two published checkpoints of your organisation's log, or of the ledger's own: both notes, "
        "and the hashes that lead from the one to the other (RFC 9162). A size that no checkpoint has is not found.",
        request=models.ConsistencyRequest,
        asked=examples.CONSISTENCY,
        answer=proof_models.ConsistencyResponse,
        answered=None,
        refusals=_ANYWHERE | _OF_LOOKUPS | {errors.EvidenceBroken},
    ),
    Route(
        key="POST /v1/verify",
        name="verify_chain",
        tag="Evidence",
        summary="Verify a range of the chain",
        description="Reads the range from the bucket again, hashes it, and reports everything that is wrong. By "
        "sequence or by time; without either, all of it. When `complete` is false, ask again from `next_seq`.",
        request=models.VerifyRequest,
        asked=examples.VERIFY,
        answer=models.VerifyResponse,
        answered=examples.VERIFIED,
        refusals=_ANYWHERE | _OF_STORED_RECORDS,
    ),
    Route(
        key="POST /v1/export",
        name="export_evidence",
        tag="Evidence",
        summary="Fetch evidence that proves itself",
        description="Packs a range of your chain, by sequence or by time, into a file that is verified without the "
        "ledger, or into a view of it for reading, with the file that proves it. Short ranges are ready at once; for "
        "others the answer is `pending`: ask again with its `export_id`. The same range of the same ledger is the "
        "same export.",
        request=export_models.ExportRequest,
        asked=examples.EXPORT,
        answer=export_models.ExportResponse,
        answered=examples.EXPORTED,
        refusals=_ANYWHERE | _OF_LOOKUPS | {errors.EvidenceBroken},
    ),
    Route(
        key="GET /health",
        name="health",
        tag="Service",
        summary="Is it up?",
        description="From a check of the evidence bucket that is at most a few seconds old.",
        answer=models.HealthResponse,
        answered=examples.HEALTHY,
        refusals=_SERVICE,
        also=503,
    ),
    Route(
        key="GET /v1/keys",
        name="signing_keys",
        tag="Service",
        summary="The keys that checkpoints are signed with",
        description="As verifier keys of C2SP signed notes and as PEM. Pin them when you begin to trust a ledger.",
        answer=models.KeysResponse,
        answered=examples.KEYS,
        refusals=_SERVICE,
        cacheable=True,
    ),
    Route(
        key="GET /openapi.json",
        name="openapi",
        tag="Service",
        summary="This document",
        description="OpenAPI 3.1, with JSON Schema 2020-12.",
        answer=None,
        answered=None,
        refusals=_SERVICE,
        cacheable=True,
    ),
)
