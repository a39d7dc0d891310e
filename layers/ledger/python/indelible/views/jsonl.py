# SPDX-License-Identifier: Apache-2.0
"""JSON Lines: a first line that names the bundle, then a line for each record, which contains its bytes unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import BinaryIO

from indelible.views.source import Entry, Proof


def write(entries: Iterable[Entry], proof: Proof, out: BinaryIO) -> None:
    """Write the first line, and one for each record."""
    out.write(json.dumps({"proved_by": proof.as_dict()}).encode() + b"\n")
    for entry in entries:
        about = {"tx_hash": entry.sealed.tx_hash, "s3_version_id": entry.receipt["s3_version_id"]}
        out.write(json.dumps(about).encode()[:-1] + b', "record": ' + entry.raw + b"}\n")
