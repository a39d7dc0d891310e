# SPDX-License-Identifier: Apache-2.0
"""IAM roles and users have one spelling each; whatever is neither has none."""

from __future__ import annotations

import pytest

from indelible.domain.identity import principal_arn

ROLE = "arn:aws:iam::123456789012:role/recorder"


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (ROLE, ROLE),
        ("arn:aws:iam::123456789012:role/teams/risk/recorder", ROLE),
        ("arn:aws:sts::123456789012:assumed-role/recorder/i-0abc", ROLE),
        ("arn:aws:sts::123456789012:assumed-role/recorder/ann@example.com", ROLE),
        (
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Audit_0a1b/ann@example.com",
            "arn:aws:iam::123456789012:role/AWSReservedSSO_Audit_0a1b",
        ),
        (
            "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Audit_0a1b",
            "arn:aws:iam::123456789012:role/AWSReservedSSO_Audit_0a1b",
        ),
        ("arn:aws-us-gov:sts::123456789012:assumed-role/r/s1", "arn:aws-us-gov:iam::123456789012:role/r"),
        ("arn:aws-cn:iam::123456789012:user/ann", "arn:aws-cn:iam::123456789012:user/ann"),
        ("arn:aws:iam::123456789012:user/teams/risk/ann", "arn:aws:iam::123456789012:user/teams/risk/ann"),
    ],
)
def test_every_spelling_of_a_role_or_user_is_one(given: str, written: str) -> None:
    assert principal_arn(given) == written
    assert principal_arn(written) == written


@pytest.mark.parametrize(
    "given",
    [
        "",
        "recorder",
        "*",
        "arn:aws:iam::123456789012:root",
        "arn:aws:sts::123456789012:federated-user/ann",
        "arn:aws:iam::123456789012:group/risk",
        "arn:aws:iam::123456789012:role/*",
        "arn:aws:iam::123456789012:role/record?r",
        "arn:aws:iam::*:role/recorder",
        "arn:aws:iam::12345678901:role/recorder",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/teams/",
        "arn:aws:iam::123456789012:role//recorder\n",
        "arn:aws:iam::123456789012:role/recorder\n",
        " arn:aws:iam::123456789012:role/recorder",
        "arn:aws:iam::١٢٣٤٥٦٧٨٩٠١٢:role/recorder",
        "arn:aws:iam::123456789012:role/rеcorder",  # Cyrillic е
        "arn:aws:sts::123456789012:assumed-role/recorder",
        "arn:aws:sts::123456789012:assumed-role/a/b/c",
        "arn:aws:lambda:eu-west-1:123456789012:function:recorder",
        "arn:aws:iam::123456789012:role/" + "a/" * 600 + "r",
    ],
)
def test_what_is_no_role_or_user_has_no_spelling(given: str) -> None:
    assert principal_arn(given) is None


def test_another_role_s_session_is_not_this_role() -> None:
    sessions = [
        "arn:aws:sts::123456789012:assumed-role/recorder2/s1",
        "arn:aws:sts::123456789012:assumed-role/Recorder/s1",
        "arn:aws:sts::999999999999:assumed-role/recorder/s1",
        "arn:aws-cn:sts::123456789012:assumed-role/recorder/s1",
        "arn:aws:iam::123456789012:user/recorder",
    ]
    assert all(principal_arn(session) not in (None, ROLE) for session in sessions)
