# SPDX-License-Identifier: Apache-2.0
"""The settings that name the providers of external anchoring. None is asked unless it is named here.

Invariant: what these readers return is contacted as it is; what they refuse is said in one line, without the key,
which `infra.config` puts before it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from infra.identity_settings import is_loopback

EXTERNAL_KEYS = ("timestamp_authorities", "calendars", "witnesses")
_MOST = 16
#: A function's variables have 4 KB together.
_MOST_BYTES = 2_500
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_VERIFIER_KEY = re.compile(r"([^+\s\x00-\x1f\ud800-\udfff]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")


class ExternalError(ValueError):
    """What is wrong with a setting, and what is allowed."""


def read_authorities(value: object) -> dict[str, str]:
    """Names and URLs. http is allowed, as many authorities have nothing else: a token carries its own signature."""
    return _named(value, schemes=("http", "https"))


def read_calendars(value: object) -> dict[str, str]:
    """Names and URLs of calendars, which must be those that their own promises name."""
    return _named(value, schemes=("https",))


def read_witnesses(value: object) -> dict[str, str]:
    """Verifier keys of cosignatures (c2sp.org/tlog-cosignature), and the URLs below which `/add-checkpoint` is."""
    found = _addresses(value, schemes=("https",))
    for key in found:
        if not _is_cosignature_key(key):
            raise ExternalError(
                f"must map verifier keys of witnesses, name+hash+base64 of the kind 0x04, to URLs; {key!r} is none"
            )
    files = {re.sub(r"[^A-Za-z0-9.-]", "_", key.partition("+")[0])[:200] for key in found}
    if len(files) < len(found):
        raise ExternalError(
            "must not name two witnesses whose names differ in special characters only, or beyond 200 characters"
        )
    return found


def check(given: Mapping[str, object], *, on_this_machine: bool) -> tuple[str, str] | None:
    """What does not fit together: the key and what is wrong with it."""
    witnesses, quorum = given.get("witnesses"), given.get("witness_quorum")
    many = len(witnesses) if isinstance(witnesses, Mapping) else 0
    if many and quorum is None:
        return "witness_quorum", f"is required with witnesses: how many of the {many} make a checkpoint witnessed"
    if isinstance(quorum, int) and quorum > many:
        return "witness_quorum", f"is {quorum}, and there are {many} witnesses"
    if sum(map(len, as_environment(given).values())) > _MOST_BYTES:
        return "witnesses", f"and the other anchoring providers take more than {_MOST_BYTES:,} bytes; name fewer"
    if not on_this_machine:
        for key in EXTERNAL_KEYS:
            addresses = given.get(key)
            for url in addresses.values() if isinstance(addresses, Mapping) else ():
                if is_loopback(url):
                    return key, f"{url} is on this machine, where a function on AWS will never find it"
    return None


def as_environment(given: Mapping[str, object]) -> dict[str, str]:
    """The variable that the functions read; empty when no provider is configured."""
    named = {key: given[key] for key in (*EXTERNAL_KEYS, "witness_quorum") if given.get(key)}
    return {"INDELIBLE_EXTERNAL_ANCHORS": json.dumps(named, separators=(",", ":"))} if named else {}


def _named(value: object, *, schemes: tuple[str, ...]) -> dict[str, str]:
    found = _addresses(value, schemes=schemes)
    for name in found:
        if not _NAME.fullmatch(name):
            raise ExternalError(f"must map names of 1 to 40 of a-z, 0-9 and '-' to URLs; {name!r} is no such name")
    return found


def _addresses(value: object, *, schemes: tuple[str, ...]) -> dict[str, str]:
    if isinstance(value, str):  # -c key='{"name": "https://…"}'
        try:
            value = json.loads(value)
        except ValueError:
            raise ExternalError(f"must be a JSON object, not {value!r}") from None
    if not isinstance(value, Mapping) or not 1 <= len(value) <= _MOST:
        raise ExternalError(f"must be a JSON object of 1 to {_MOST} names and URLs, not {value!r}")
    return {str(name): _url(url, schemes) for name, url in value.items()}


def _url(value: object, schemes: tuple[str, ...]) -> str:
    text = str(value)
    try:
        parts = urlsplit(text)
        plain = not (parts.username or parts.password or parts.query or parts.fragment) and parts.port != 0
        good = (
            bool(parts.hostname)
            and plain
            and (parts.scheme in schemes or (parts.scheme == "http" and is_loopback(text)))
        )
    except ValueError:
        good = False
    if not isinstance(value, str) or not re.fullmatch(r"[!-~]{1,512}", text) or not good:
        raise ExternalError(f"must have {' or '.join(schemes)} URLs without user, query and fragment, not {value!r}")
    return text


def _is_cosignature_key(text: str) -> bool:
    # As `parse_verifier_key` of the layer, which need not be installed where the CDK runs; a test compares the two.
    parts = _VERIFIER_KEY.fullmatch(text)
    if parts is None:
        return False
    try:
        blob = base64.b64decode(parts[3], validate=True)
    except ValueError:
        return False
    key_id = hashlib.sha256(parts[1].encode() + b"\n" + blob).digest()[:4]
    canonical = base64.b64encode(blob).decode() == parts[3]
    return canonical and len(blob) == 33 and blob[0] == 0x04 and key_id.hex() == parts[2]
