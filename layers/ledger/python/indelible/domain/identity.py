# SPDX-License-Identifier: Apache-2.0
"""Who the gateway says is asking, once it has checked a token (JWT) or a request signature (SigV4). Pure.

Neither kind is proof of anything by itself: services/schemes.py says what an identity may do, and for whom.
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
    """The claims of a JWT that API Gateway has verified: it hands every claim over as text."""

    claims: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Principal:
    """The IAM user or role that signed, as `principal_arn` writes it."""

    arn: str


Identity: TypeAlias = Token | Principal


def principal_arn(arn: str) -> str | None:
    """One spelling for each IAM role or user; None for what is neither.

    A session (`arn:aws:sts::…:assumed-role/NAME/SESSION`) means its role. Its ARN does not tell the role's path, so
    roles are written without one: a role's name is unique in its account whatever its path (IAM User Guide, "IAM
    identifiers"). Users are written as they are. An account's root, federated users, services and patterns are None.
    """
    if len(arn) > _LONGEST:
        return None
    role = _SESSION.fullmatch(arn) or _ROLE.fullmatch(arn)
    if role:
        partition, account, name = role.groups()
        return f"arn:{partition}:iam::{account}:role/{name}"
    return arn if _USER.fullmatch(arn) else None
