# SPDX-License-Identifier: Apache-2.0
"""Access to a deployed ledger, and its errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import click

from indelible.cli import COULD_NOT_CHECK
from indelible.errors import LedgerError

_SDK = frozenset({"botocore", "boto3"})
_HINTS = {
    "NoCredentialsError": "; name a profile, or set the usual environment variables",
    "NoRegionError": ": set AWS_REGION, or name a profile that has one",
}


class CouldNotCheck(click.ClickException):
    """Ends a command whose status 1 is a verdict."""

    exit_code = COULD_NOT_CHECK


@contextmanager
def deployed(failure: type[click.ClickException] = click.ClickException) -> Iterator[ModuleType]:
    """`entry.operator`, which finds a deployed ledger and connects to it.

    Expected errors are raised as `failure`: one line on stderr and its exit status.
    """
    try:
        from indelible.entry import operator
    except ModuleNotFoundError as error:
        raise failure(f"{error.name} is needed here: pip install '.[s3]' in a checkout of indelible") from None
    try:
        yield operator
    except Exception as error:
        message = describe_error(error)
        if message is None:
            raise
        raise failure(message) from None


def describe_error(error: Exception) -> str | None:
    """One line for an error that the ledger's code, AWS or its SDK raised; None for an unexpected one."""
    if isinstance(error, LedgerError):
        # The AWS error that caused it tells the operator more than "unavailable" does.
        cause = error.__cause__
        described = describe_error(cause) if isinstance(cause, Exception) else None
        # Some messages are predicates of the field, which the API returns beside them: "must be from 1 to 100 days".
        subject = f"{error.field} " if error.field and error.message.startswith("must ") else ""
        return described or f"{subject}{_one_line(error)}"
    if type(error).__module__.partition(".")[0] in _SDK:
        hint = _HINTS.get(type(error).__name__)
        return f"AWS: {_one_line(error)}" if hint is None else f"AWS: {_one_line(error).rstrip('.')}{hint}"
    return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
