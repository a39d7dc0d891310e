# SPDX-License-Identifier: Apache-2.0
"""Typed settings of a function, from its environment variables.

Invariant: settings are complete and in range, or `load` raises. They are read when the first event arrives, not at
import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from indelible.domain.record import Retention
from indelible.errors import ConfigurationError

_PREFIX = "INDELIBLE_"


class Settings(Struct, frozen=True, kw_only=True):
    """The variables INDELIBLE_LEDGER_NAME and so on. Each function has only those that it needs.

    `signing_key_ids`: ids of the KMS keys of all generations, oldest first, comma-separated; the last signs.
    `ml_dsa_key_id`: ARN of the KMS key of the second signature line of checkpoints; none by default.
    `anchor_period_seconds`: time between two scheduled rounds; 0 when the schedule is a cron expression.
    `org_rate`, `org_burst`: an organisation's share, in tokens (`entry.limits`).
    `allowed_origins`: browser origins that may call the MCP endpoint, comma-separated; none by default.
    `external_anchors`: the providers of external anchoring, as JSON (`entry.external_settings`); none by default.
    """

    # Part of key names and of log origins: a slash would name another log, a space or plus sign break the note format.
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
        """The retention of a record. `days` is the organisation's: it can extend the ledger's, never shorten it."""
        return Retention(lock_mode=self.lock_mode, days=max(days or 0, self.retention_days))


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises ConfigurationError, naming the variable that is missing or out of range."""
    values = {
        name.removeprefix(_PREFIX).lower(): value for name, value in environment.items() if name.startswith(_PREFIX)
    }
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"environment variables {_PREFIX}*: {error}") from None
