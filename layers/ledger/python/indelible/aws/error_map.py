# SPDX-License-Identifier: Apache-2.0
"""Which AWS errors mean "try again later". All others are faults of ours, and are raised unchanged."""

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
        "OperationAborted",  # S3: another operation on the object is in progress
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ResourceConflictException",  # Lambda: the function is being updated
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
"""A cancellation reason of a transaction. (A single write fails with `ConditionalCheckFailedException`.)"""


@contextmanager
def translated(service: str) -> Iterator[None]:
    """Raise Unavailable for a call to AWS that got no definite answer. Also usable as a decorator.

    The SDK has retried already (standard mode). Errors that mean a fault of ours, and all others, pass unchanged.
    """
    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code_of(error) in _NOT_NOW or status >= 500:
            raise Unavailable(f"{service} did not accept the request: {code_of(error)}") from error
        raise
    except ParamValidationError:
        raise
    except BotoCoreError as error:
        raise Unavailable(f"{service} could not be reached: {type(error).__name__}") from error


def code_of(error: ClientError) -> str:
    """The error code of an answer, as AWS documents it for the operation."""
    return str(error.response.get("Error", {}).get("Code", ""))


def cancelled_by(error: ClientError) -> list[str]:
    """The reasons of a TransactionCanceledException, one for each write, in order; `"None"` for no reason."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
