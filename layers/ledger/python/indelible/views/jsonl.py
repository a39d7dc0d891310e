# SPDX-License-Identifier: Apache-2.0
"""JSON Lines: a line that says what proves the rest, then a line for each record, its bytes unchanged inside."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import BinaryIO

from indelible.views.source import Entry, Proof


def write(found: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """One line, and one for each record."""
    out.write(json.dumps({"proved_by": proof.as_dict()}).encode() + b"\n")
    for entry in found:
        about = {"tx_hash": entry.sealed.tx_hash, "s3_version_id": entry.receipt["s3_version_id"]}
        out.write(json.dumps(about).encode()[:-1] + b', "record": ' + entry.raw + b"}\n")
