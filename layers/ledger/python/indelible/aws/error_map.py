# SPDX-License-Identifier: Apache-2.0
"""Which AWS errors mean "not now". Everything else is a fault of ours and keeps its own type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from indelible.errors import Unavailable

_NOT_NOW = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalError",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)

CONDITION_FAILED = "ConditionalCheckFailed"
"""Among the reasons of a cancelled transaction."""


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Raise Unavailable for an AWS call that did not get a definite answer. Usable as a decorator.

    The SDK has retried before (standard mode); what arrives here is final for this attempt.
    """
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in _NOT_NOW or status >= 500:
            raise Unavailable(f"{service} did not take the request: {code_of(error)}") from error
        raise
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached: {type(error).__name__}") from error


def code_of(error: ClientError) -> str:
    """The error code that AWS documents for the operation."""
    return str(error.response.get("Error", {}).get("Code", ""))


def cancelled_by(error: ClientError) -> list[str]:
    """For TransactionCanceledException: a code for each write of the transaction, in their order, `None` for none."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
