# SPDX-License-Identifier: Apache-2.0
"""Responses of the public routes (`entry.meta`).

Invariant: field names are public and do not change; no field tells of a bucket, a table or an organisation.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class HealthResponse(Struct, kw_only=True):
    """Whether the ledger can reach its evidence bucket."""

    status: Literal["healthy", "unhealthy"]
    server: Literal["indelible"] = "indelible"
    version: Annotated[str, Meta(description="Version of the ledger's code.", examples=["1.0.0"])]
    tools_available: Annotated[int, Meta(ge=0, description="MCP tools behind POST /mcp.", examples=[3])]
    s3_connected: Annotated[bool, Meta(description="Whether the bucket answered within the last seconds.")]


class SigningKey(Struct, kw_only=True):
    """A public key that checkpoints are signed with, in the two forms that tools read."""

    key_id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$", description="The key hash of C2SP signed notes.")]
    algorithm: Literal["Ed25519"] = "Ed25519"
    verifier_key: Annotated[str, Meta(description="name+hash+base64, as verifiers of notes and witnesses read it.")]
    public_key_pem: Annotated[str, Meta(description="SubjectPublicKeyInfo, as `openssl pkey -pubin` reads it.")]
    origin: Annotated[str, Meta(description="The key name on signature lines: the name of the ledger.")]
    generation: Annotated[int, Meta(ge=1, description="1 for the ledger's first key, one more for each rotation.")]
    valid_from: Annotated[str | None, Meta(description="RFC 3339. null, like `statement`, before the first anchoring.")]
    valid_until: Annotated[
        str | None,
        Meta(description="It must not sign for records made then or later. null for the key in use."),
    ]
    statement: Annotated[str | None, Meta(description="The signed note that pins the key (docs/format.md).")]


class SecondKey(Struct, kw_only=True):
    """The post-quantum key of the second signature line of checkpoints. No statement pins it."""

    key_id: Annotated[str, Meta(pattern="^[0-9a-f]{8}$", description="The key hash of C2SP signed notes.")]
    algorithm: Literal["ML-DSA-44"] = "ML-DSA-44"
    verifier_key: Annotated[str, Meta(description="name+hash+base64, of kind 0x06 (c2sp.org/tlog-cosignature).")]
    origin: Annotated[str, Meta(description="The key name on signature lines: the name of the ledger.")]


class KeysResponse(Struct, kw_only=True):
    """The keys that the ledger's checkpoints are signed with, the one in use first."""

    keys: Annotated[list[SigningKey], Meta(min_length=1)]
    second: Annotated[SecondKey | None, Meta(description="null when checkpoints have no second signature line.")] = None
