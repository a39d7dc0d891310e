# SPDX-License-Identifier: Apache-2.0
"""Identities that API Gateway has authenticated, by token (JWT) or request signature (SigV4).

What an identity may do, and for which organisation, is decided in services/schemes.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

# IAM: role and user names have at most 64 characters of [\w+=,.@-]; paths end in "/"; accounts have twelve digits.
_NAME = r"[\w+=,.@-]{1,64}"
_PATH = r"(?:[!-.0-~]+/)*"
_SESSION = re.compile(rf"arn:(aws[a-z-]*):sts::(\d{{12}}):assumed-role/({_NAME})/[\w+=,.@-]+", re.ASCII)
_ROLE = re.compile(rf"arn:(aws[a-z-]*):iam::(\d{{12}}):role/{_PATH}({_NAME})", re.ASCII)
_USER = re.compile(rf"arn:aws[a-z-]*:iam::\d{{12}}:user/{_PATH}{_NAME}", re.ASCII)
_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of a JWT that API Gateway has verified. It passes every claim as text."""

    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Principal:
    """The IAM user or role that signed, in the form of `principal_arn`."""

    arn: str


Identity: TypeAlias = Token | Principal


def principal_arn(arn: str) -> str | None:
    """The canonical ARN of an IAM role or user; None for anything else.

    A session (`arn:aws:sts::…:assumed-role/NAME/SESSION`) stands for its role. Its ARN lacks the role's path, so roles
    are written without one: a role's name is unique in its account regardless of the path (IAM User Guide, "IAM
    identifiers"). Users keep their path. An account's root, federated users, services and patterns give None.
    """
    if len(arn) > _LONGEST:
        return None
    role = _SESSION.fullmatch(arn) or _ROLE.fullmatch(arn)
    if role:
        partition, account, name = role.groups()
        return f"arn:{partition}:iam::{account}:role/{name}"
    return arn if _USER.fullmatch(arn) else None
