# SPDX-License-Identifier: Apache-2.0
"""The tree of refusals: codes that customers rely on, each once, each with its status."""

from __future__ import annotations

import pytest

from indelible import errors
from indelible.errors import InvalidField, LedgerError, NotSealed, Unauthenticated

CODES = {
    "InvalidRequest": ("INVALID_REQUEST", 400, False),
    "InvalidJson": ("INVALID_JSON", 400, False),
    "DuplicateKey": ("DUPLICATE_KEY", 400, False),
    "InvalidNumber": ("INVALID_NUMBER", 400, False),
    "InvalidString": ("INVALID_STRING", 400, False),
    "NestingTooDeep": ("NESTING_TOO_DEEP", 400, False),
    "UnknownField": ("UNKNOWN_FIELD", 400, False),
    "MissingField": ("MISSING_FIELD", 400, False),
    "InvalidField": ("INVALID_FIELD", 400, False),
    "TooLarge": ("TOO_LARGE", 413, False),
    "Unauthenticated": ("UNAUTHENTICATED", 401, False),
    "StaleSignature": ("STALE_SIGNATURE", 401, False),
    "OrgMismatch": ("ORG_MISMATCH", 403, False),
    "Forbidden": ("FORBIDDEN", 403, False),
    "NotFound": ("NOT_FOUND", 404, False),
    "IdempotencyConflict": ("IDEMPOTENCY_CONFLICT", 409, False),
    "EvidenceBroken": ("EVIDENCE_BROKEN", 409, False),
    "Unavailable": ("UNAVAILABLE", 503, True),
    "Contention": ("CONTENTION", 503, True),
    "NotSealed": ("NOT_SEALED", 503, True),
    "HeadRegressed": ("HEAD_REGRESSED", 503, False),
}


def every() -> list[type[LedgerError]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, LedgerError) and kind is not LedgerError
    ]


@pytest.mark.parametrize("name", CODES)
def test_codes_are_what_customers_were_told(name: str) -> None:
    kind: type[LedgerError] = getattr(errors, name)

    assert (kind.code, kind.status, kind.retryable) == CODES[name]


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in every()]

    assert len(set(codes)) == len(codes)
    assert all(kind.__doc__ for kind in every())


def test_only_what_passes_is_retryable() -> None:
    assert all(kind.status in (429, 503) for kind in every() if kind.retryable)


def test_as_dict_leaves_out_what_is_not_known() -> None:
    assert InvalidField("no", field="a.b").as_dict() == {
        "code": "INVALID_FIELD",
        "message": "no",
        "retryable": False,
        "field": "a.b",
    }
    assert NotSealed("later", audit_id="x").as_dict() == {
        "code": "NOT_SEALED",
        "message": "later",
        "retryable": True,
        "audit_id": "x",
    }


def test_there_is_one_answer_to_strangers() -> None:
    assert Unauthenticated().as_dict() == Unauthenticated().as_dict()
    assert str(Unauthenticated()) == Unauthenticated().message
