# SPDX-License-Identifier: Apache-2.0
"""Which keys name a secret, which texts look like one, and what stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.domain import sanitize as sanitizing
from indelible.domain.sanitize import REDACTED, names_a_secret, sanitize


@pytest.mark.parametrize(
    "key",
    [
        "password", "Password", "PASSWORD", "db_password", "dbPassword", "DBPassword", "user-password", "passwd", "pwd",
        "passphrase", "secret", "client_secret", "clientSecret", "ClientSecret", "aws_secret_access_key", "secrets",
        "credentials", "credential", "authorization", "Authorization", "proxy-authorization", "cookie", "set-cookie",
        "api_key", "apiKey", "APIKey", "api-key", "x-api-key", "apikey", "access_key", "private_key", "privateKey",
        "signing_key", "encryption_key", "connection_string", "connectionString", "token", "access_token",
        "accessToken", "refresh-token", "idToken", "jwt", "pin", "card_pin", "cvv", "cvc", "password_2", "secret_value",
        "password_base64", " password ",
    ],
)  # fmt: skip
def test_keys_that_name_a_secret(key: str) -> None:
    assert names_a_secret(key)


@pytest.mark.parametrize(
    "key",
    [
        "", "tokens", "max_tokens", "token_count", "tokenizer", "tokenCount", "completion_tokens", "secretary",
        "pinned", "spin", "pinion", "opinion", "password_policy", "passwords_rotated_at", "key", "keys", "primary_key",
        "public_key", "idempotency_key", "author", "cookies_accepted", "api", "access", "credentialed", "authorized",
    ],
)  # fmt: skip
def test_keys_that_do_not(key: str) -> None:
    assert not names_a_secret(key)


@pytest.mark.parametrize("value", ["hunter2", "", 1234, 0, 0.5, [], ["a"], {}, {"nested": {"deep": "value"}}, REDACTED])
def test_whatever_stands_under_such_a_key_goes_whole(value: Any) -> None:
    clean = sanitize({"payload": {"password": value, "kept": value}})

    assert clean["payload"] == {"password": REDACTED, "kept": value}
    assert clean["sanitized_paths"] == ["/payload/password"]


@pytest.mark.parametrize("value", [None, True, False])
def test_what_cannot_be_a_secret_stays(value: Any) -> None:
    event: Any = {"payload": {"password": value, "secret": value}}

    assert sanitize(event) == event


def test_the_places_are_json_pointers_in_order() -> None:
    event: Any = {
        "reason": "used AKIAIOSFODNN7EXAMPLE for it",
        "payload": {"list": [{"a/b": {"m~n_secret": 1}}, "x", "ghp_" + "A" * 36], "pin": 1},
    }

    clean = sanitize(event)

    assert clean["sanitized_paths"] == [
        "/payload/list/0/a~1b/m~0n_secret",
        "/payload/list/2",
        "/payload/pin",
        "/reason",
    ]
    assert clean["reason"] == f"used {REDACTED} for it"
    assert clean["payload"] == {"list": [{"a/b": {"m~n_secret": REDACTED}}, "x", REDACTED], "pin": REDACTED}


def test_long_keys_are_judged_and_not_remembered() -> None:
    """A record of 256 KiB may be one key; a cache of thousands of them would be a gibibyte."""
    before = sanitizing._names_a_secret.cache_info().currsize

    assert all(names_a_secret(f"{number:0500d}_password") for number in range(50))
    assert not any(names_a_secret(f"{number:0500d}_passwort") for number in range(50))

    assert sanitizing._names_a_secret.cache_info().currsize == before


def test_without_a_secret_nothing_changes_and_nothing_is_added() -> None:
    event: Any = {"event_type": "X", "payload": {"a": [1, {"b": None}], "tokens": 12500}}

    assert sanitize(event) == event


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("smtp://AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI@mail:587", f"smtp://{REDACTED}@mail:587"),
        ("https://user:pa:ss@host/path?q=1", f"https://{REDACTED}@host/path?q=1"),
        ("https://user@host", "https://user@host"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("Authorization: Bearer abcdefghijklmnopqrstuvwxyz", f"Authorization: {REDACTED}"),
        ("BEARER abcdefghijklmnop0123==", REDACTED),
        ("the bearer of this letter", "the bearer of this letter"),
        ("AKIAIOSFODNN7EXAMPLE", REDACTED),
        ("ASIAIOSFODNN7EXAMPLE.", f"{REDACTED}."),
        ("AKIAIOSFODNN7EXAMPLEX", "AKIAIOSFODNN7EXAMPLEX"),
        ("xAKIAIOSFODNN7EXAMPLE", "xAKIAIOSFODNN7EXAMPLE"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.", REDACTED),
        ("eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9"),
        ("sk-ant-" + "a" * 24, REDACTED),
        ("sk-short", "sk-short"),
        ("sha256:" + "ab" * 32, "sha256:" + "ab" * 32),
        ("-----BEGIN PRIVATE KEY-----\nMIIE…", REDACTED),
        ("-----BEGIN CERTIFICATE-----\nMIIE…", "-----BEGIN CERTIFICATE-----\nMIIE…"),
        ("urn:axis:agent:classifier", "urn:axis:agent:classifier"),
        ("arn:aws:iam::123456789012:user/jane", "arn:aws:iam::123456789012:user/jane"),
    ],
)
def test_texts(text: str, clean: str) -> None:
    assert sanitize({"reason": text})["reason"] == clean
