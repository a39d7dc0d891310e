# SPDX-License-Identifier: Apache-2.0
"""Readers of the signed logs.

Invariant: keys are used for verifying only. `bootstrap.anchor` has the signer.
"""

from __future__ import annotations

from functools import cache

from indelible.aws.kms_key import ML_DSA_44, KmsKey, kms_keys
from indelible.entry.bootstrap import bucket, shared
from indelible.services.keys import PinnedKeys
from indelible.services.log import LogReader


@cache
def log_reader() -> LogReader:
    """Reads the logs, and verifies every signature."""
    files, name = bucket.log_files(), shared.settings().ledger_name
    return LogReader(files=files, ledger_name=name, keys=pinned_keys().ring, current=files.current)


@cache
def pinned_keys() -> PinnedKeys:
    """The public keys of all generations."""
    settings = shared.settings()
    keys = kms_keys(shared.kms(), settings.signing_key_ids)
    return PinnedKeys(keys=keys, files=bucket.log_files(), ledger_name=settings.ledger_name)


@cache
def second_key() -> KmsKey | None:
    """The key of the second line, for who signs with it and who publishes it; None where none is configured."""
    key_id = shared.settings().ml_dsa_key_id
    return KmsKey(client=shared.kms(), key_id=key_id, scheme=ML_DSA_44) if key_id else None
