# SPDX-License-Identifier: Apache-2.0
"""Builds what reads and writes the signed logs: the keys, for those who only know them, and for the one who signs."""

from __future__ import annotations

from indelible.aws.clients import client
from indelible.aws.kms_key import ML_DSA_44, KmsKey, kms_keys
from indelible.entry.env import Settings
from indelible.ports import Clock, LogFiles, SecondSigner, Telemetry
from indelible.services.keys import Keyholder, PinnedKeys
from indelible.services.log import SignedLog


def make_pinned_keys(*, files: LogFiles, settings: Settings) -> PinnedKeys:
    """For all but the anchor."""
    keys = kms_keys(client("kms"), settings.signing_key_ids)
    return PinnedKeys(keys=keys, files=files, ledger_name=settings.ledger_name)


def make_signed_log(*, files: LogFiles, settings: Settings, clock: Clock, telemetry: Telemetry) -> SignedLog:
    """For the anchor."""
    keyholder = Keyholder(
        signers=kms_keys(client("kms"), settings.signing_key_ids),
        files=files,
        ledger_name=settings.ledger_name,
        retention=settings.retention(),
        clock=clock,
        telemetry=telemetry,
    )
    return SignedLog(
        files=files,
        ledger_name=settings.ledger_name,
        keys=keyholder.ring,
        signer=keyholder.signer,
        retention=settings.retention(),
        clock=clock,
        second=make_second_signer(settings),
    )


def make_second_signer(settings: Settings) -> SecondSigner | None:
    """For the anchor, and for the door that publishes its public half."""
    if not settings.ml_dsa_key_id:
        return None
    return KmsKey(client=client("kms"), key_id=settings.ml_dsa_key_id, scheme=ML_DSA_44)
