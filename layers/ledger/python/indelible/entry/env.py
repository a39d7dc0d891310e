# SPDX-License-Identifier: Apache-2.0
"""Typed settings of a function, from its environment variables. Read once, when the first event comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from indelible.domain.record import Retention
from indelible.errors import ConfigurationError

_PREFIX = "INDELIBLE_"


class Settings(Struct, frozen=True, kw_only=True):
    """`INDELIBLE_LEDGER_NAME` and so on: each function is told only what it needs.

    `signing_key_ids`: ids of the KMS keys of all generations, oldest first, comma-separated; the last one signs.
    `ml_dsa_key_id`: ARN of the KMS key of the second line below checkpoints; none by default.
    `anchor_period_seconds`: between two scheduled rounds; 0 where a cron expression says when.
    `allowed_origins`: browser origins that may call the MCP endpoint, comma-separated; none by default.
    `external_anchors`: the providers of external anchoring, as JSON (`entry.external_settings`); none by default.
    """

    # Part of key names and origins, which a slash would make another log's and white space or a plus sign unreadable.
    ledger_name: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{1,30}$")]
    bucket: Annotated[str, Meta(min_length=3)]
    table: Annotated[str, Meta(min_length=3)]
    lock_mode: Literal["COMPLIANCE", "GOVERNANCE"]
    retention_days: Annotated[int, Meta(ge=1, le=36_500)]
    secret_arn: str = ""
    strict_signatures: bool = False
    auth: Literal["hmac", "jwt", "iam"] = "hmac"
    jwt_org_claim: Annotated[str, Meta(min_length=1)] = "org_id"
    org_rate: Annotated[int, Meta(ge=1)] = 50
    org_burst: Annotated[int, Meta(ge=100)] = 200
    signing_key_ids: str = ""
    ml_dsa_key_id: str = ""
    anchor_period_seconds: Annotated[int, Meta(ge=0)] = 0
    anchor_concurrency: Annotated[int, Meta(ge=1)] = 20
    allowed_origins: str = ""
    external_anchors: str = ""
    exports_bucket: str = ""
    exports_days: Annotated[int, Meta(ge=1, le=365)] = 7
    pack_function: str = ""

    def retention(self, days: int | None = None) -> Retention:
        """The promise for a record: an organisation may keep longer than the ledger, never shorter."""
        return Retention(lock_mode=self.lock_mode, days=max(days or 0, self.retention_days))


def load(environment: Mapping[str, str]) -> Settings:
    """Raises ConfigurationError naming the variable that is absent or out of range."""
    given = {
        name.removeprefix(_PREFIX).lower(): value for name, value in environment.items() if name.startswith(_PREFIX)
    }
    try:
        return msgspec.convert(given, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"environment variables {_PREFIX}*: {error}") from None
