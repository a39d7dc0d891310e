# SPDX-License-Identifier: Apache-2.0
"""Policies are compared by what they mean: form is no drift, and any change of meaning is."""

from __future__ import annotations

from typing import Any

import pytest

from indelible.services.policy_diff import NO_DRIFT, drift


def test_form_is_no_drift() -> None:
    wanted = {
        "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": ["s3:A", "s3:B"], "Resource": "r",
        "Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}, "Bool": {"aws:SecureTransport": False}},
    }  # fmt: skip
    deployed = {
        "Sid": "", "Effect": "Deny", "Principal": "*", "Action": ["s3:B", "s3:A"], "Resource": ["r"],
        "Condition": {"Bool": {"aws:securetransport": "false"}, "NumericLessThan": {"s3:TlsVersion": "1.2"}},
    }  # fmt: skip
    assert drift([wanted], [deployed]) == NO_DRIFT


@pytest.mark.parametrize("name", ["Effect", "Principal", "Action", "Resource", "Condition"])
def test_meaning_is(name: str) -> None:
    wanted: dict[str, Any] = {"Sid": "S", "Effect": "Deny", "Principal": "*", "Action": "a", "Resource": "r"}
    other: dict[str, Any] = {
        "Effect": "Allow", "Principal": {"AWS": "x"}, "Action": ["a", "b"], "Resource": "r/*",
        "Condition": {"Null": {"k": "true"}},
    }  # fmt: skip
    found = drift([wanted], [{**wanted, name: other[name]}])
    assert found.missing == ("S",)
    assert len(found.added_allows) + len(found.added_denies) == 1
