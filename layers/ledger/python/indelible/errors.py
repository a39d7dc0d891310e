# SPDX-License-Identifier: Apache-2.0
"""Every way the ledger says no: one class, one stable code, one HTTP status.

Codes are part of the public interface: they are never renamed or reused. A message may name fields and
limits, never values: values may be secret.
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """Base of every refusal. `field` is the dotted path of the argument at fault, where there is one."""

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
    """Base of everything that the caller can mend by sending something else."""

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
    """More levels of nesting than allowed."""

    code = "NESTING_TOO_DEEP"


class UnknownField(InvalidRequest):
    """A field that the interface does not know."""

    code = "UNKNOWN_FIELD"


class MissingField(InvalidRequest):
    """A required field is absent."""

    code = "MISSING_FIELD"


class InvalidField(InvalidRequest):
    """A field of the wrong type or outside what is allowed."""

    code = "INVALID_FIELD"


class TooLarge(InvalidRequest):
    """A record over 256 KiB, or a batch over its limits."""

    code = "TOO_LARGE"
    status = 413


# -- who asks -------------------------------------------------------------------------------------------


class Unauthenticated(LedgerError):
    """Unknown organisation, unknown or disabled key, wrong signature: deliberately one answer for all."""

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
    """`signed_at` is too far from the ledger's clock."""

    code = "STALE_SIGNATURE"
    status = 401


class OrgMismatch(LedgerError):
    """The body says one organisation, the header or the identity another."""

    code = "ORG_MISMATCH"
    status = 403


class Forbidden(LedgerError):
    """A good identity, and no organisation that it may act for: unknown, disabled or another's, all one answer."""

    code = "FORBIDDEN"
    status = 403


# -- what is asked for ----------------------------------------------------------------------------------


class NotFound(LedgerError):
    """Nothing of that name in the caller's organisation. Says nothing of any other."""

    code = "NOT_FOUND"
    status = 404


class IdempotencyConflict(LedgerError):
    """The idempotency key was used before, for another request."""

    code = "IDEMPOTENCY_CONFLICT"
    status = 409


class OrgExists(LedgerError):
    """The name of an organisation is taken, perhaps by a disabled one."""

    code = "ORG_EXISTS"
    status = 409


class EvidenceBroken(LedgerError):
    """What is stored is not what was recorded. Run verify for the exact place."""

    code = "EVIDENCE_BROKEN"
    status = 409


# -- not now --------------------------------------------------------------------------------------------


class Unavailable(LedgerError):
    """A dependency did not answer. Whether the request took effect may be unknown: retry with the same key."""

    code = "UNAVAILABLE"
    status = 503
    retryable = True


class TooManyRequests(LedgerError):
    """The organisation asks for more than its share. Nothing was recorded."""

    code = "TOO_MANY_REQUESTS"
    status = 429
    retryable = True


class Contention(LedgerError):
    """Every attempt lost the race for the head within the time left. Nothing was recorded."""

    code = "CONTENTION"
    status = 503
    retryable = True


class NotSealed(LedgerError):
    """Committed to the chain as `audit_id`, not yet acknowledged by the bucket. The anchor finishes it."""

    code = "NOT_SEALED"
    status = 503
    retryable = True


class HeadRegressed(LedgerError):
    """The bucket holds records beyond the table's head: the table went back in time. Or an item of it is damaged.

    Recording stays off until the table has been rebuilt from the bucket.
    """

    code = "HEAD_REGRESSED"
    status = 503


class ConfigurationError(LedgerError):
    """A setting of the deployment is absent or out of range."""

    code = "CONFIGURATION"
