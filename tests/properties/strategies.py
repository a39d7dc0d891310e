# SPDX-License-Identifier: Apache-2.0
"""What callers might send and clocks might show."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from indelible.domain import audit_id, instants
from indelible.domain.canonical import MAX_NUMBER

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
numbers = st.one_of(
    st.integers(-MAX_NUMBER, MAX_NUMBER),
    st.floats(min_value=-MAX_NUMBER, max_value=MAX_NUMBER, allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, text)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=20
)
json_objects = st.dictionaries(text, json_values, max_size=5)
events = st.builds(lambda kind, payload: {"event_type": kind, "payload": payload}, text, json_objects)
org_ids = st.from_regex(r"[a-z0-9][a-z0-9-]{1,62}", fullmatch=True)
hashes = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
moments = st.integers(0, instants.MAX_MS)
sequences = st.integers(1, audit_id.MAX_SEQUENCE)
random_bits = st.integers(0, 2**audit_id.RANDOM_BITS - 1)

SECRET_KEYS = (
    "password",
    "dbPassword",
    "x-api-key",
    "client_secret",
    "Authorization",
    "access_token",
    "PIN",
    "apiKey2",
)
CREDENTIALS = (
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a1" * 18,
    "sk-proj-" + "b2" * 12,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
    "Bearer abcdefghijklmnop0123",
    "postgres://user:pass-w0rd@db",
    "smtp://AKIAIOSFODNN7EXAMPLE:pass-w0rd@mail",
    "AIza" + "C" * 35,
    "npm_" + "d" * 36,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
)


@st.composite
def leaky_values(draw: st.DrawFn) -> Any:
    """Values with credentials anywhere, alone, glued together or in the middle of a text."""
    pieces = st.sampled_from(CREDENTIALS) | st.sampled_from((" ", "x", ",", "", "://", "@", ":", "-"))
    texts = st.lists(pieces, max_size=6).map("".join)
    keys = st.sampled_from(SECRET_KEYS) | text
    return draw(
        st.recursive(
            scalars | texts,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
            max_leaves=12,
        )
    )
