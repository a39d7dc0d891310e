# SPDX-License-Identifier: Apache-2.0
"""The doctor's checks of what is deployed: bucket, keys, schedules, alarms, secret and clock. Reads only."""

from __future__ import annotations

from collections.abc import Iterator

from indelible.domain.keyring import statement_path
from indelible.domain.note import NoteError
from indelible.ports import Clock, StoredLogFiles
from indelible.ports.deployment import Deployment
from indelible.services.doctor import Check, Finding, Health, ok
from indelible.services.keys import PinnedKeys
from indelible.services.log import LEDGER, MOST_FOREIGN, LogReader
from indelible.services.policy_diff import NO_DRIFT, drift

KEY_SPEC = "ECC_NIST_EDWARDS25519"
SKEW_WARN_MS, SKEW_FAIL_MS = 5_000, 60_000
"""`signed_at` may differ from the ledger's clock by five minutes."""
SILENT_MS = 2 * 3_600_000
"""As the alarm `AnchorSilent`."""
# A plain deployment skips a stack whose template has not changed, and leaves what was changed by hand.
_DEPLOY_LEDGER = "Deploy the ledger's stack again, with cdk deploy --revert-drift."


class DeploymentChecks:
    """Each check yields at least one finding."""

    def __init__(
        self, *, deployment: Deployment, log: LogReader, keys: PinnedKeys, files: StoredLogFiles, clock: Clock
    ) -> None:
        self._deployment = deployment
        self._log = log
        self._pinned = keys
        self._files = files
        self._clock = clock

    def checks(self) -> list[tuple[str, Check]]:
        """The checks by name, the gravest first."""
        return [
            ("bucket lock", self._bucket),
            ("bucket policy", self._bucket_policy),
            ("public access", self._public_access),
            ("signing key", self._keys),
            ("key policy", self._key_policies),
            ("pinned keys", self._pinned_keys),
            ("key in use", self._key_in_use),
            ("schedules", self._schedules),
            ("last round", self._last_round),
            ("alarms", self._alarms),
            ("master secret", self._secret),
            ("clock", self._clock_skew),
        ]

    def _bucket(self) -> Iterator[Finding]:
        name, promised, found = "bucket lock", self._deployment.promised, self._deployment.bucket()
        if not found.locked or not found.versioned:
            lacking = "Object Lock" if not found.locked else "versioning"
            yield Finding(name, Health.FAIL, f"{lacking} is off", f"{_DEPLOY_LEDGER} See BrokenChain.")
        elif found.mode is None:
            yield Finding(name, Health.FAIL, "no default retention", _DEPLOY_LEDGER)
        elif found.mode != promised.lock_mode or (found.days or 0) < promised.retention_days:
            said = f"default retention is {found.mode} for {_days(found.days)}, not {promised.lock_mode} for"
            yield Finding(name, Health.FAIL, f"{said} {promised.retention_days:,}", _DEPLOY_LEDGER)
        else:
            yield ok(name, f"{found.mode} for {_days(found.days)}, versioned")

    def _bucket_policy(self) -> Iterator[Finding]:
        policy = self._deployment.bucket_policy()
        found = drift(policy.wanted, policy.deployed)
        deploy = f"Find out who changed it (CloudTrail: PutBucketPolicy). {_DEPLOY_LEDGER}"
        yield from _drift_findings("bucket policy", found.missing, found.added_allows, deploy)
        if found.added_denies:
            said = f"not in the template: {', '.join(found.added_denies)}"
            yield Finding("bucket policy", Health.WARN, said, "Make sure that it denies no write of the ledger.")
        elif not found.missing and not found.added_allows:
            yield ok("bucket policy", f"{len(policy.deployed)} statements, as deployed")

    def _public_access(self) -> Iterator[Finding]:
        settings = self._deployment.public_access()
        off = [name for name, on in settings.items() if not on]
        if off or not settings:
            said = f"off: {', '.join(off)}" if off else "no public access block"
            yield Finding("public access", Health.FAIL, said, _DEPLOY_LEDGER)
        else:
            yield ok("public access", "blocked")

    def _keys(self) -> Iterator[Finding]:
        keys = self._deployment.signing_keys()
        for key in keys:
            if key.state != "Enabled" and key is keys[-1]:
                advice = "Enable it (or cancel its deletion) in KMS; until then no checkpoint is signed."
                yield Finding("signing key", Health.FAIL, f"{key.key_id} is {key.state}", advice)
            elif key.spec != KEY_SPEC:
                yield Finding("signing key", Health.FAIL, f"{key.key_id} is of spec {key.spec}", f"Use {KEY_SPEC}.")
            elif key.state != "Enabled":
                said = f"{key.key_id}, no longer in use, is {key.state}"
                yield Finding("signing key", Health.WARN, said, "What it signed can still be verified. Keep it.")
            else:
                yield ok("signing key", f"{key.key_id} is enabled")

    def _key_policies(self) -> Iterator[Finding]:
        for key in self._deployment.signing_keys():
            policy = self._deployment.key_policy(key.key_id)
            found = drift(policy.wanted, policy.deployed)
            if found == NO_DRIFT:
                yield ok("key policy", f"{key.key_id}: only the anchor's role signs")
                continue
            advice = f"Find out who changed it (CloudTrail: PutKeyPolicy). {_DEPLOY_LEDGER}"
            yield from _drift_findings("key policy", found.missing, (*found.added_allows, *found.added_denies), advice)

    def _pinned_keys(self) -> Iterator[Finding]:
        """The generations that are pinned below `_ledger/_log/keys/` are those that KMS has."""
        deployed, ring = len(self._deployment.signing_keys()), self._pinned.stated()
        pinned = 0 if ring.newest.statement is None else ring.newest.generation
        if pinned == deployed and self._files.read(LEDGER, statement_path(pinned + 1)) is None:
            yield ok("pinned keys", f"{pinned} of {deployed}, as KMS has them")
        elif pinned == deployed:
            said = f"generation {pinned + 1} is pinned, but the deployment does not name it"
            yield Finding("pinned keys", Health.FAIL, said, "Raise signing_keys again: it must never be lowered.")
        elif self._files.read(LEDGER, statement_path(pinned + 1)) is None:
            said = f"{pinned} of {deployed}: generation {pinned + 1} is not pinned yet"
            yield Finding("pinned keys", Health.WARN, said, "The next run of the anchor pins it; if not, read its log.")
        else:
            said = f"the file of generation {pinned + 1} is not a statement by a deployed key"
            advice = "It was written past the bucket policy: keep it, and read CloudTrail. The key before still signs."
            yield Finding("pinned keys", Health.FAIL, said, advice)

    def _key_in_use(self) -> Iterator[Finding]:
        """The last checkpoint of the ledger's own log is signed by a deployed key."""
        failure = ""
        for size in sorted(self._log.sizes(LEDGER, at_least=1), reverse=True)[:MOST_FOREIGN]:
            try:
                self._log.opened(LEDGER, size)
            except NoteError as error:  # perhaps a file of another origin: the check of the logs reports those
                failure = failure or f"checkpoint {size:,} of the ledger is not signed by a deployed key: {error}"
            else:
                yield ok("key in use", f"it signed the ledger's checkpoint of size {size:,}")
                return
        if failure:
            advice = "Another key signed it, or an attacker wrote it. Compare the keys that verifiers have pinned."
            yield Finding("key in use", Health.FAIL, failure, advice)
        else:
            yield ok("key in use", "the ledger's log has no checkpoint yet")

    def _schedules(self) -> Iterator[Finding]:
        schedules = self._deployment.schedules()
        for name in ("news", "sweep"):
            if not schedules.get(name, False):
                said = f"{name} is {'disabled' if name in schedules else 'missing'}"
                yield Finding(
                    "schedules", Health.FAIL, said, "Enable it, or deploy the anchor's stack again with --revert-drift."
                )
            else:
                yield ok("schedules", f"{name} is enabled")

    def _last_round(self) -> Iterator[Finding]:
        last = self._deployment.last_round()
        now_ms = self._clock.now_ms()
        if last is None:
            yield Finding("last round", Health.WARN, "none yet", "Wait for the first round, or run indelible anchor.")
        elif now_ms - last[1] > SILENT_MS:
            advice = "Check the schedules, their role and their dead-letter queue."
            yield Finding("last round", Health.FAIL, f"{_ago(now_ms - last[1])} ago", advice)
        elif last[0] in ("SUCCEEDED", "RUNNING"):
            yield ok("last round", f"{last[0].lower()}, began {_ago(now_ms - last[1])} ago")
        else:
            yield Finding("last round", Health.WARN, last[0].lower(), "Its execution and the anchor's log say why.")

    def _alarms(self) -> Iterator[Finding]:
        alarms = self._deployment.alarms()
        ringing = sorted(name for name, state in alarms.items() if state == "ALARM")
        if not alarms:
            yield Finding(
                "alarms", Health.FAIL, "none", "Deploy the anchor's stack again, with cdk deploy --revert-drift."
            )
        for name in ringing:
            yield Finding("alarms", Health.FAIL, f"{name} is in state ALARM", "See Alarms.")
        if alarms and not ringing:
            blind = sum(state == "INSUFFICIENT_DATA" for state in alarms.values())
            yield ok("alarms", f"{len(alarms)}, none in state ALARM" + (f", {blind} without data yet" if blind else ""))

    def _secret(self) -> Iterator[Finding]:
        if self._deployment.has_secret():
            yield ok("master secret", "exists")
        else:
            advice = "Restore it in Secrets Manager at once: no request is authenticated without it, or with another."
            yield Finding("master secret", Health.FAIL, "missing, or scheduled for deletion", advice)

    def _clock_skew(self) -> Iterator[Finding]:
        skew_ms = abs(self._clock.now_ms() - self._deployment.clock_ms())
        if skew_ms < SKEW_WARN_MS:
            yield ok("clock", "this machine and AWS agree")
            return
        health = Health.FAIL if skew_ms >= SKEW_FAIL_MS else Health.WARN
        said = f"this machine's clock is {skew_ms / 1000:,.0f} s off"
        yield Finding("clock", health, said, "Set it (NTP): beyond five minutes, requests signed here are refused.")


def _days(number: int | None) -> str:
    return f"{number:,} day{'' if number == 1 else 's'}"


def _drift_findings(check: str, missing: tuple[str, ...], added: tuple[str, ...], advice: str) -> Iterator[Finding]:
    if missing:
        yield Finding(check, Health.FAIL, f"missing: {', '.join(missing)}", advice)
    if added:
        yield Finding(check, Health.FAIL, f"added: {', '.join(added)}", advice)


def _ago(duration_ms: int) -> str:
    return f"{duration_ms // 60_000:,} min" if duration_ms >= 60_000 else f"{max(duration_ms, 0) // 1000} s"
