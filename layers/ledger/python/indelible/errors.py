# SPDX-License-Identifier: Apache-2.0
"""Every error of the ledger: one class, one stable code, one HTTP status.

Codes are part of the public interface: they are never renamed or reused. A message names the field and what is allowed,
and never quotes a value, which may be secret.
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """Base of all. `field` is the dotted path of the argument at fault, where there is one.

    `audit_id` is the record that the error is about, where it is known. `retryable` says whether the same request, sent
    again later, may succeed.
    """

    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, field: str | None = None, audit_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.audit_id = audit_id

    def as_dict(self) -> dict[str, object]:
        """`{"code", "message", "retryable"}` and, where known, `"field"` and `"audit_id"`."""
        body: dict[str, object] = {"code": self.code, "message": self.message, "retryable": self.retryable}
        if self.field is not None:
            body["field"] = self.field
        if self.audit_id is not None:
            body["audit_id"] = self.audit_id
        return body


# -- the request is not well formed ---------------------------------------------------------------------


class InvalidRequest(LedgerError):
    """Base of the errors that a client can correct by sending another request."""

    code = "INVALID_REQUEST"
    status = 400


class InvalidJson(InvalidRequest):
    """The body is not one UTF-8 JSON object."""

    code = "INVALID_JSON"


class DuplicateKey(InvalidRequest):
    """A JSON object names a member twice; readers disagree about which one counts (RFC 8259 §4)."""

    code = "DUPLICATE_KEY"


class InvalidNumber(InvalidRequest):
    """NaN, an infinity, or a number beyond ±(2^53−1) (RFC 7493 §2.2)."""

    code = "INVALID_NUMBER"


class InvalidString(InvalidRequest):
    """A lone surrogate: a string with no UTF-8 form (RFC 7493 §2.1)."""

    code = "INVALID_STRING"


class NestingTooDeep(InvalidRequest):
    """A JSON value with more than 32 levels of nesting."""

    code = "NESTING_TOO_DEEP"


class UnknownField(InvalidRequest):
    """A field that the operation does not have."""

    code = "UNKNOWN_FIELD"


class MissingField(InvalidRequest):
    """A required field is absent."""

    code = "MISSING_FIELD"


class InvalidField(InvalidRequest):
    """A field of the wrong type, or with a value that is not allowed."""

    code = "INVALID_FIELD"


class TooLarge(InvalidRequest):
    """An event, a batch or a range over its limit."""

    code = "TOO_LARGE"
    status = 413


# -- who asks -------------------------------------------------------------------------------------------


class Unauthenticated(LedgerError):
    """Unknown organisation, unknown or disabled key, or wrong signature: deliberately the same answer for all."""

    code = "UNAUTHENTICATED"
    status = 401

    def __init__(
        self,
        message: str = "org_id, key_id and signature do not belong together",
        *,
        field: str | None = "signature",
    ) -> None:
        super().__init__(message, field=field)


class StaleSignature(LedgerError):
    """`signed_at` is more than five minutes from the ledger's clock."""

    code = "STALE_SIGNATURE"
    status = 401


class OrgMismatch(LedgerError):
    """The request names one organisation, its header or its identity another."""

    code = "ORG_MISMATCH"
    status = 403


class Forbidden(LedgerError):
    """The identity may not act for the organisation, which may not exist or be disabled: the same answer for all."""

    code = "FORBIDDEN"
    status = 403


# -- what is asked for ----------------------------------------------------------------------------------


class NotFound(LedgerError):
    """There is no such thing in the caller's organisation. Says nothing about other organisations."""

    code = "NOT_FOUND"
    status = 404


class IdempotencyConflict(LedgerError):
    """The idempotency key was used for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    status = 409


class OrgExists(LedgerError):
    """The name of the organisation is taken, perhaps by a disabled one."""

    code = "ORG_EXISTS"
    status = 409


class EvidenceBroken(LedgerError):
    """What is stored is not what was recorded. `indelible verify` finds out where."""

    code = "EVIDENCE_BROKEN"
    status = 409


# -- not now --------------------------------------------------------------------------------------------


class Unavailable(LedgerError):
    """A service of AWS gave no definite answer. The request may have taken effect: retry with the same key."""

    code = "UNAVAILABLE"
    status = 503
    retryable = True


class TooManyRequests(LedgerError):
    """The organisation sends more requests than its share allows. Nothing was recorded."""

    code = "TOO_MANY_REQUESTS"
    status = 429
    retryable = True


class Contention(LedgerError):
    """Other writers moved the head at every attempt, until the time was over. Nothing was recorded."""

    code = "CONTENTION"
    status = 503
    retryable = True


class NotSealed(LedgerError):
    """The record `audit_id` is committed to the chain, and not yet in the bucket. The anchor will put it there."""

    code = "NOT_SEALED"
    status = 503
    retryable = True


class HeadRegressed(LedgerError):
    """The bucket has records beyond the table's head, because the table was restored; or an item cannot be parsed.

    What depends on the item stops until the table is rebuilt from the bucket.
    """

    code = "HEAD_REGRESSED"
    status = 503


class ConfigurationError(LedgerError):
    """A setting of the deployment is missing or not allowed."""

    code = "CONFIGURATION"
