# SPDX-License-Identifier: Apache-2.0
"""The one place where deployment settings are read, defaulted and refused.

Invariant: a ``LedgerConfig`` that exists is deployable. Whatever is wrong with the context is said
here, before a single resource is described, by the name of the key and what is allowed for it.

Settings live in cdk.json under ``context.indelible``; ``cdk deploy -c key=value`` overrides one of
them for one run. The lock mode and the retention are deliberately absent from cdk.json: their
defaults follow the stage, so that ``-c stage=dev`` cannot inherit a seven-year lock by accident.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs

from infra import auditor_settings, external_settings, identity_settings
from infra import setting_readers as readers
from infra.identity_settings import Auth
from infra.schedule_expression import parse_period
from infra.setting_readers import ConfigError

__all__ = ("ConfigError", "LedgerConfig", "LockMode", "Stage")

Stage = Literal["prod", "dev"]
LockMode = Literal["COMPLIANCE", "GOVERNANCE"]

CONTEXT_OBJECT = "indelible"

#: Six months is the shortest retention that a rule in view accepts (EU AI Act, Art. 26(6)); the
#: longest pair of them, July to December, has 184 days.
MIN_PROD_RETENTION_DAYS = 184
#: S3's own ceiling for a default retention: 100 years.
MAX_RETENTION_DAYS = 36_500

#: A key's id and its comma.
_KEY_ID_CHARACTERS = 37
#: Characters of a function's 4 KB of variables that are left for values without a bound of their own.
_ENVIRONMENT_CHARACTERS = 2_700


@dataclass(frozen=True, kw_only=True)
class LedgerConfig:
    """What is deployed. Defaults are those of ``stage=prod``; use :meth:`from_context` to read and check."""

    stage: Stage = "prod"
    ledger_name: str = "indelible"
    lock_mode: LockMode = "COMPLIANCE"
    #: Days from a record's timestamp; S3 Object Lock's default retention and the records' promise.
    retention_days: int = 2555
    anchor_rate: str = "rate(5 minutes)"
    #: How many anchor functions one round runs at once: its share of the account's concurrency.
    anchor_concurrency: int = 20
    #: Who checks who asks: the functions (hmac), or API Gateway by tokens (jwt) or AWS signatures (iam).
    auth: Auth = "hmac"
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] | None = None
    #: The claim that names the organisation.
    jwt_org_claim: str = "org_id"
    #: Requires ``signature``, ``signed_at`` and (to record) ``idempotency_key``, whatever ``auth`` is.
    strict_signatures: bool = False
    #: Generations of the signing key. One more is a rotation (docs/operations.md); never lower it.
    signing_keys: int = 1
    #: A second, post-quantum line below each checkpoint, by a KMS key of spec ML_DSA_44.
    ml_dsa: bool = False
    alarm_email: str | None = None
    #: Requests per second, and burst, over all routes of the API.
    throttle_rate: int = 200
    throttle_burst: int = 400
    #: Records per second, and burst, of one organisation in one function environment (docs/operations.md).
    org_rate: int = 50
    org_burst: int = 200
    #: Browser origins that may call the MCP endpoint; none by default, and programs are no browsers.
    allowed_origins: tuple[str, ...] | None = None
    #: Providers of external anchoring (docs/external-anchors.md), by name; witnesses by verifier key. None by default.
    timestamp_authorities: Mapping[str, str] | None = None
    calendars: Mapping[str, str] | None = None
    witnesses: Mapping[str, str] | None = None
    #: How many of the witnesses make a checkpoint witnessed.
    witness_quorum: int | None = None
    #: A CloudTrail trail for deletes on the evidence bucket. Off where an organization's trail has them.
    watch_deletes: bool = True
    #: An outside account that may read these organisations' records and logs, under this external id.
    auditor_account: str | None = None
    auditor_external_id: str | None = None
    auditor_organisations: tuple[str, ...] | None = None
    #: The IAM roles and users that alone may place and release legal holds; None: all that IAM allows.
    hold_operators: tuple[str, ...] | None = None

    @property
    def is_prod(self) -> bool:
        """Whether everything that holds evidence is kept for good and protected from deletion."""
        return self.stage == "prod"

    @property
    def removal_policy(self) -> RemovalPolicy:
        """Of whatever holds evidence, orders it, or says who did what."""
        return RemovalPolicy.RETAIN if self.is_prod else RemovalPolicy.DESTROY

    @property
    def log_retention(self) -> logs.RetentionDays:
        """How long log groups keep what is written to them."""
        return logs.RetentionDays.ONE_YEAR if self.is_prod else logs.RetentionDays.ONE_WEEK

    @property
    def anchor_period_seconds(self) -> int | None:
        """Seconds between two anchor runs, or None where a cron expression does not say."""
        return parse_period(self.anchor_rate)

    @property
    def external_anchors(self) -> dict[str, str]:
        """The environment of functions that must know the anchoring providers; empty when none is configured."""
        return external_settings.as_environment(vars(self))

    def describe(self) -> str:
        """One line for the person who is about to deploy this."""
        kept = (
            "bucket, table, key and secret are kept (RETAIN) and protected from deletion"
            if self.is_prod
            else "table, key and secret are deleted with the stack, and a bucket if it is empty (DESTROY)"
        )
        lock = {
            "COMPLIANCE": "no user, the account's root user included, can delete a record before that",
            "GOVERNANCE": "a principal with s3:BypassGovernanceRetention can delete a record: not for evidence",
        }[self.lock_mode]
        days = f"{self.retention_days:,} day{'' if self.retention_days == 1 else 's'}"
        callers = {
            "hmac": "the HMAC signature of an organisation's key",
            "jwt": f"tokens of {self.jwt_issuer} for {' or '.join(self.jwt_audience or ())}, "
            f"whose claim '{self.jwt_org_claim}' names the organisation",
            "iam": "AWS identities (SigV4) that `indelible org allow` has named",
        }[self.auth]
        signed = ", and also a signature" if self.strict_signatures and self.auth != "hmac" else ""
        return (
            f"indelible: stage {self.stage}, ledger '{self.ledger_name}': Object Lock {self.lock_mode} "
            f"for {days} ({lock}); {kept}; auth {self.auth}: {callers}{signed}."
        )

    @classmethod
    def from_context(cls, context: Mapping[str, object], *, on_this_machine: bool = False) -> LedgerConfig:
        """Read the whole CDK context. Raises :class:`ConfigError`.

        ``on_this_machine``: where the functions run, too, so that they find addresses of the loopback interface.
        """
        given = _collect(context)
        values: dict[str, object] = {key: reader(key, given[key]) for key, reader in _READERS.items() if key in given}
        if values.get("stage") == "dev":
            values = {"lock_mode": "GOVERNANCE", "retention_days": 1} | values
        config = cls(**values)  # type: ignore[arg-type]  # each reader returns its field's type
        if config.is_prod and config.retention_days < MIN_PROD_RETENTION_DAYS:
            raise ConfigError(
                "retention_days",
                f"{config.retention_days} is too short for stage=prod, which wants at least "
                f"{MIN_PROD_RETENTION_DAYS} days (six months); use -c stage=dev to try things out",
            )
        wrong = (
            identity_settings.check(config.auth, values, is_prod=config.is_prod)
            or external_settings.check(values, on_this_machine=on_this_machine)
            or auditor_settings.check(values)
            or _too_much_environment(config)
        )
        if wrong:
            raise ConfigError(*wrong)
        return config


def _too_much_environment(config: LedgerConfig) -> tuple[str, str] | None:
    """What has no bound of its own must fit into a function's variables together; the longest is named."""
    lengths = {
        "signing_keys": _KEY_ID_CHARACTERS * config.signing_keys,
        "allowed_origins": len(",".join(config.allowed_origins or ())),
        "witnesses": sum(map(len, config.external_anchors.values())),
    }
    if sum(lengths.values()) <= _ENVIRONMENT_CHARACTERS:
        return None
    longest = max(lengths, key=lengths.__getitem__)
    said = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
    return (
        longest,
        f"too long: a function's variables have 4 KB, of which these take {said}; the longest must be shorter",
    )


def _collect(context: Mapping[str, object]) -> dict[str, object]:
    """Merge the ``indelible`` object with ``-c key=value``; the command line wins. Null means unset."""
    base = context.get(CONTEXT_OBJECT, {})
    if not isinstance(base, Mapping):
        raise ConfigError(CONTEXT_OBJECT, "must be a JSON object of settings")
    for key in base:
        if key not in _READERS:
            raise ConfigError(f"{CONTEXT_OBJECT}.{key}", f"is not a setting{_meant(str(key))}; {_KNOWN}")
    for key in context:
        # Other keys of the context belong to the CDK and to other programs. Only a name that is one
        # typing error away from a setting is refused: ignoring it would deploy the default lock.
        if key not in _READERS and key != CONTEXT_OBJECT and key.isidentifier() and _meant(key):
            raise ConfigError(key, f"is not a setting{_meant(key)}; {_KNOWN}")
    overrides = {key: context[key] for key in _READERS if key in context}
    return {key: value for key, value in {**base, **overrides}.items() if value is not None and value != ""}


def _meant(key: str) -> str:
    near = difflib.get_close_matches(key, _READERS, n=1, cutoff=0.8)
    return f"; did you mean '{near[0]}'?" if near else ""


_READERS: dict[str, readers.Reader] = {
    "stage": readers.one_of("prod", "dev"),
    "ledger_name": readers.ledger_name,
    "lock_mode": readers.one_of("COMPLIANCE", "GOVERNANCE"),
    "retention_days": readers.whole_number(1, MAX_RETENTION_DAYS),
    "anchor_rate": readers.anchor_rate,
    "anchor_concurrency": readers.whole_number(1, 500),
    "auth": readers.read_by(identity_settings.read_auth),
    "jwt_issuer": readers.read_by(identity_settings.read_issuer),
    "jwt_audience": readers.read_by(identity_settings.read_audience),
    "jwt_org_claim": readers.read_by(identity_settings.read_org_claim),
    "strict_signatures": readers.flag,
    "signing_keys": readers.whole_number(1, 24),
    "ml_dsa": readers.flag,
    "alarm_email": readers.email,
    "throttle_rate": readers.whole_number(1, 10_000),
    "throttle_burst": readers.whole_number(1, 5_000),
    "org_rate": readers.whole_number(1, 10_000),
    # A batch of a hundred must fit.
    "org_burst": readers.whole_number(100, 100_000),
    "allowed_origins": readers.origins,
    "timestamp_authorities": readers.read_by(external_settings.read_authorities),
    "calendars": readers.read_by(external_settings.read_calendars),
    "witnesses": readers.read_by(external_settings.read_witnesses),
    "witness_quorum": readers.whole_number(1, 16),
    "watch_deletes": readers.flag,
    "auditor_account": readers.read_by(auditor_settings.read_account),
    "auditor_external_id": readers.read_by(auditor_settings.read_external_id),
    "auditor_organisations": readers.read_by(auditor_settings.read_organisations),
    "hold_operators": readers.principals,
}
_KNOWN = "known settings: " + ", ".join(_READERS)
