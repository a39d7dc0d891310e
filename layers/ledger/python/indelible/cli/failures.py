# SPDX-License-Identifier: Apache-2.0
"""What goes wrong between here and the evidence, in one line."""

from __future__ import annotations

from indelible.errors import LedgerError

_SDK = frozenset({"botocore", "boto3"})
_HINTS = {
    "NoCredentialsError": "; name a profile, or set the usual environment variables",
    "NoRegionError": ": set AWS_REGION, or name a profile that has one",
}


def in_words(error: Exception) -> str | None:
    """For what the ledger's code, AWS or its SDK has said; None for anything else, which nobody has foreseen."""
    if isinstance(error, LedgerError):
        # What AWS has said below it is more use to whoever sits here than that it did not answer.
        below = error.__cause__
        return (in_words(below) if isinstance(below, Exception) else None) or _line(error)
    if type(error).__module__.partition(".")[0] in _SDK:
        hint = _HINTS.get(type(error).__name__)
        return f"AWS: {_line(error)}" if hint is None else f"AWS: {_line(error).rstrip('.')}{hint}"
    return None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
