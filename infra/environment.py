# SPDX-License-Identifier: Apache-2.0
"""The functions' environment variables, by the names that ``indelible.entry.env`` reads."""

from __future__ import annotations

from infra.config import LedgerConfig
from infra.constructs.exports_bucket import exports_days
from infra.ledger_stack import LedgerStack


def ledger_environment(config: LedgerConfig, ledger: LedgerStack) -> dict[str, str]:
    """What every function is told. No secret is ever among it."""
    return {
        "INDELIBLE_LEDGER_NAME": config.ledger_name,
        "INDELIBLE_BUCKET": ledger.bucket.bucket_name,
        "INDELIBLE_TABLE": ledger.table.table_name,
        "INDELIBLE_LOCK_MODE": config.lock_mode,
        "INDELIBLE_RETENTION_DAYS": str(config.retention_days),
        "INDELIBLE_SIGNING_KEY_IDS": ",".join(key.key_id for key in ledger.signing_keys),
        "POWERTOOLS_SERVICE_NAME": config.ledger_name,
        "POWERTOOLS_METRICS_NAMESPACE": "Indelible",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        **config.external_anchors,
    }


def second_line_environment(ledger: LedgerStack) -> dict[str, str]:
    """Which key makes the second line below checkpoints, where there is one."""
    return {"INDELIBLE_ML_DSA_KEY_ID": ledger.ml_dsa_key.key_arn} if ledger.ml_dsa_key else {}


def exports_environment(config: LedgerConfig, ledger: LedgerStack) -> dict[str, str]:
    """Where exports are kept, and for how long."""
    return {
        "INDELIBLE_EXPORTS_BUCKET": ledger.exports.bucket_name,
        "INDELIBLE_EXPORTS_DAYS": str(exports_days(config)),
    }


def api_environment(config: LedgerConfig, ledger: LedgerStack) -> dict[str, str]:
    """What the functions that authenticate callers are told in addition: where the secret is, not what it is."""
    claim = {"INDELIBLE_JWT_ORG_CLAIM": config.jwt_org_claim} if config.auth == "jwt" else {}
    return ledger_environment(config, ledger) | {
        "INDELIBLE_SECRET_ARN": ledger.secret.secret_arn,
        "INDELIBLE_AUTH": config.auth,
        "INDELIBLE_STRICT_SIGNATURES": "true" if config.strict_signatures else "false",
        "INDELIBLE_ORG_RATE": str(config.org_rate),
        "INDELIBLE_ORG_BURST": str(config.org_burst),
        # What a pending proof says about the next run; 0 where only the schedule knows.
        "INDELIBLE_ANCHOR_PERIOD_SECONDS": str(config.anchor_period_seconds or 0),
        **claim,
    }
