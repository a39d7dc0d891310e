# SPDX-License-Identifier: Apache-2.0
"""The settings that let one outside account read: which account, under which external id, which organisations.

Invariant: all three are given, or none. What is wrong is said in one line, without the key, which `infra.config` puts
before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

KEYS = ("auditor_account", "auditor_external_id", "auditor_organisations")
#: An enum of Athena's partition projection is what bounds it.
_MOST_ORGANISATIONS = 50
#: A role's inline policies have 10,240 characters, of which an organisation's name takes some twice: in the ARN of its
#: days and in the prefix that may be listed, besides 105 characters each time for the bucket and the pattern.
_POLICY_CHARACTERS = 8_000
_EACH_CHARACTERS = 105


class AuditorError(ValueError):
    """What is wrong with a setting, and what is allowed."""


def read_account(value: object) -> str:
    """Twelve digits, with their leading zeros: text, because a JSON number has none."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{12}", value):
        raise AuditorError(f"must be the twelve digits of an AWS account, as text; it is {value!r}")
    return value


def read_external_id(value: object) -> str:
    """The external id that the auditor's account sends, against the confused deputy problem."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9+=,.@:/_-]{16,1224}", value):
        raise AuditorError("must be 16 to 1,224 of letters, digits and +=,.@:/_-, and nobody else's: a random text")
    return value


def read_organisations(value: object) -> tuple[str, ...]:
    """A list of organisations, or text with commas between them."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, Sequence) or not all(isinstance(one, str) for one in given):
        raise AuditorError(f"must be a list of organisations, or text with commas between them, not {value!r}")
    found = tuple(dict.fromkeys(one.strip() for one in given))
    named = all(re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}|_admin", one, re.ASCII) for one in found)
    if not 1 <= len(found) <= _MOST_ORGANISATIONS or not named:
        raise AuditorError(f"must name 1 to {_MOST_ORGANISATIONS} organisations, for example acme-corp, not {value!r}")
    if sum(_EACH_CHARACTERS + 2 * len(one) for one in found) > _POLICY_CHARACTERS:
        raise AuditorError(
            f"names {len(found)} organisations with {sum(map(len, found)):,} characters, more than a role's policy "
            "holds: name fewer"
        )
    return found


def check(given: Mapping[str, object]) -> tuple[str, str] | None:
    """What does not fit together: the key and what is wrong with it."""
    present = [key for key in KEYS if key in given]
    absent = [key for key in KEYS if key not in given]
    return (absent[0], f"is required with {present[0]}") if present and absent else None
