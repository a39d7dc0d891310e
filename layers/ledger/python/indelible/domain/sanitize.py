# SPDX-License-Identifier: Apache-2.0
"""Removes credentials from events before they are sealed, because nothing can be removed afterwards.

Two rules apply. A value under a key that names a secret is replaced as a whole. In a text that contains something in
the format of a known credential only that part is replaced, so that the explanation around it survives. In both cases
the JSON Pointer (RFC 6901) of the value is listed in `sanitized_paths`.

This is a safety net; it does not guarantee that no personal or secret data is recorded (docs/threat-model.md).
"""

from __future__ import annotations

import re
from functools import lru_cache

from indelible.domain.canonical import JsonObject, JsonValue, Path, pointer

REDACTED = "[REDACTED]"

# Whole words of a key, after camelCase and separators are split: `dbPassword`, `x-api-key`, `client_secret`.
# `token` counts only in the singular and last: `access_token` is a secret, `max_tokens` and `token_count` are not.
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:password|passwd|pwd|passphrase|secret|secrets|credential|credentials|authorization|cookie"
    r"|api_?key|apikey|access_?key|private_?key|secret_?key|signing_?key|encryption_?key|client_?secret"
    r"|connection_?string|cvv|cvc|pin)(?:_(?:value|text|plain|base64|b64|\d+))?$"
    r"|(?:^|_)(?:token|jwt)$"
)
_MAX_CACHED_KEY = 128
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")

# Scanning is linear in the length of the value: each alternative starts with a fixed text or at the start of a run,
# and never scans a run twice. Alternatives that match more come first: `smtp://AKIA…:password@host` is one credential,
# not half of one. Those for credentials of a fixed length have no upper limit, or the rest of a longer run would stay.
_CREDENTIAL = re.compile(
    r"(?<=://)[^\s/:@]{1,256}:[^\s/@]{1,256}(?=@)"  # userinfo of a URL (RFC 3986 §3.2.1)
    # JWT (RFC 7519)
    r"|(?:(?<![A-Za-z0-9_-])|(?<=PRIVATE KEY-----))[A-Za-z0-9_-]{11,}+\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*"
    r"|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END)[\s\S])*(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"  # AWS access key ids
    r"|\bgh[pousr]_[A-Za-z0-9]{36,255}\b|\bgithub_pat_[A-Za-z0-9_]{36,255}\b|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeprs]-[A-Za-z0-9-]{10,}|\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}|\b[sr]k_live_[A-Za-z0-9]{16,}"
    r"|\bAIza[0-9A-Za-z_-]{35,}|\bhf_[A-Za-z0-9]{30,}|\bnpm_[A-Za-z0-9]{36,}|\bpypi-AgE[A-Za-z0-9_-]{50,}"
    r"|\b(?i:bearer)\s+[A-Za-z0-9._~+/-]{16,}=*|\b(?i:basic)\s+[A-Za-z0-9+/]{16,}={0,2}"
)


def sanitize(event: JsonObject) -> JsonObject:
    """A copy of the event without credentials; `sanitized_paths` is added if anything was replaced."""
    found: list[str] = []
    clean = {key: _clean(key, value, (None, key), found) for key, value in event.items()}
    if found:
        clean["sanitized_paths"] = [*sorted(found)]
    return clean


def names_a_secret(key: str) -> bool:
    """Whether values under this key are replaced as a whole."""
    # Callers choose the keys: long ones are not cached, because a few thousand of them would fill the memory.
    return _names_a_secret(key) if len(key) <= _MAX_CACHED_KEY else _names_a_secret.__wrapped__(key)


@lru_cache(maxsize=4096)  # a tenant's events use the same keys again and again
def _names_a_secret(key: str) -> bool:
    words = _SEPARATORS.sub("_", _CAMEL.sub("_", key)).strip("_").lower()
    return _SECRET_KEY.search(words) is not None


def _clean(key: str, value: JsonValue, path: Path, found: list[str]) -> JsonValue:
    # Depth is bounded: `canonical.check` has refused anything deeper than MAX_DEPTH.
    if isinstance(value, (str, int, float, list, dict)) and not isinstance(value, bool) and names_a_secret(key):
        found.append(pointer(path))
        return REDACTED
    return _clean_value(value, path, found)


def _clean_value(value: JsonValue, path: Path, found: list[str]) -> JsonValue:
    if isinstance(value, str):
        clean = _CREDENTIAL.sub(REDACTED, value)
        if clean != value:
            found.append(pointer(path))
        return clean
    if isinstance(value, dict):
        return {key: _clean(key, child, (path, key), found) for key, child in value.items()}
    if isinstance(value, list):
        return [_clean_value(child, (path, index), found) for index, child in enumerate(value)]
    return value
