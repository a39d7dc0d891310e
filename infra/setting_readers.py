# SPDX-License-Identifier: Apache-2.0
"""How the text or number of one setting becomes its value, or is refused by the setting's name."""

from __future__ import annotations

import re
from collections.abc import Callable

from infra import auditor_settings, external_settings, identity_settings
from infra.schedule_expression import ScheduleError, parse_period

#: How far back a run looks for organisations with new records (News.recent in the layer's ports).
NEWS_SECONDS = 15 * 60

#: A bucket policy has 20 KB.
_MOST_PRINCIPALS = 20
_PRINCIPAL = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]{1,576}")

Reader = Callable[[str, object], object]


class ConfigError(ValueError):
    """A setting is missing, unknown or out of range; the message names the key and what is allowed."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"context key '{key}': {problem}")
        self.key = key


def one_of(*allowed: str) -> Reader:
    """One of these words."""

    def read(key: str, value: object) -> object:
        if value not in allowed:
            raise ConfigError(key, f"must be {' or '.join(allowed)}, not {value!r}")
        return value

    return read


def whole_number(low: int, high: int) -> Reader:
    """A whole number in this range, also as text."""

    def read(key: str, value: object) -> object:
        # `-c` gives text, cdk.json a number; True is an int in Python and a mistake here.
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
            raise ConfigError(key, f"must be a whole number from {low:,} to {high:,}, not {value!r}")
        return int(text)

    return read


def flag(key: str, value: object) -> object:
    """A yes or no, also as text."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ConfigError(key, f"must be true or false, not {value!r}")


def ledger_name(key: str, value: object) -> object:
    """A name that stacks and resources may begin with."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{1,30}", value):
        raise ConfigError(key, f"must be 2 to 31 of a-z, 0-9 and '-', and not begin with '-'; it is {value!r}")
    # The ledger's name becomes part of CloudFormation stack names, which begin with a letter.
    if not value[0].isalpha():
        raise ConfigError(key, f"must begin with a letter, as CloudFormation's stack names do; it is {value!r}")
    return value


def anchor_rate(key: str, value: object) -> object:
    """A schedule that the planner can follow."""
    try:
        period = parse_period(str(value))
    except ScheduleError as error:
        raise ConfigError(key, str(error)) from error
    if period is not None and period > NEWS_SECONDS:
        raise ConfigError(key, f"at most rate({NEWS_SECONDS // 60} minutes): older news wait for the hourly sweep")
    return str(value)


def read_by(read: Callable[[object], object]) -> Reader:
    """A reader of one of the settings' own modules, with the key before what it says."""

    def reader(key: str, value: object) -> object:
        try:
            return read(value)
        except (
            identity_settings.IdentityError,
            external_settings.ExternalError,
            auditor_settings.AuditorError,
        ) as error:
            raise ConfigError(key, str(error)) from error

    return reader


def origins(key: str, value: object) -> object:
    """Browser origins, or text with commas between them."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(
        isinstance(origin, str) and re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]{1,5})?", origin) for origin in given
    ):
        raise ConfigError(key, f"must be https origins such as https://agents.example.com, not {value!r}")
    return tuple(given)


def principals(key: str, value: object) -> object:
    """ARNs of IAM roles and users, or text with commas between them."""
    given = value.split(",") if isinstance(value, str) else value
    if (
        not isinstance(given, list)
        or not 1 <= len(given) <= _MOST_PRINCIPALS
        or not all(isinstance(arn, str) and _PRINCIPAL.fullmatch(arn) for arn in given)
    ):
        raise ConfigError(
            key,
            f"must be 1 to {_MOST_PRINCIPALS} ARNs of IAM roles or users, such as "
            f"arn:aws:iam::123456789012:role/counsel, not {value!r}",
        )
    return tuple(given)


def email(key: str, value: object) -> object:
    """An e-mail address."""
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ConfigError(key, f"must be an e-mail address, not {value!r}")
    return value
