# SPDX-License-Identifier: Apache-2.0
"""OpenTimestamps proofs: what they commit to, and whether a Bitcoin block header agrees.

Invariant: what a proof says is computed anew from the digest by the operations in it; nothing in it is believed but the
height of a block, which the header of that block confirms or refutes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

from opentimestamps.core.notary import (  # type: ignore[import-untyped]
    BitcoinBlockHeaderAttestation,
    PendingAttestation,
)
from opentimestamps.core.op import OpSHA256  # type: ignore[import-untyped]
from opentimestamps.core.serialize import (  # type: ignore[import-untyped]
    BadMagicError,
    BytesDeserializationContext,
    BytesSerializationContext,
)
from opentimestamps.core.timestamp import DetachedTimestampFile, Timestamp  # type: ignore[import-untyped]

from indelible.domain.anchors import MAX_HEIGHT

MAX_PROOF_BYTES = 64 * 1024
HEADER_BYTES = 80
_HEADERS_LINE = re.compile(r"(0|[1-9][0-9]{0,9})[ \t]+([0-9a-fA-F]{160})", re.ASCII)


class ProofInvalid(ValueError):
    """Not an OpenTimestamps proof of this digest."""


class HeaderInvalid(ValueError):
    """Not the block header that a proof leads to."""


class BitcoinAttestation(NamedTuple):
    """The block of this height has this Merkle root (32 bytes, in the order in which the header has them)."""

    height: int
    merkle_root: bytes


def read_ots(proof: bytes, digest: bytes) -> BitcoinAttestation | None:
    """The lowest block that a detached `.ots` file leads to from this SHA-256 digest; None while it is pending.

    Raises ProofInvalid when it is for another digest, or leads neither to a block nor to a calendar.
    """
    stamp = read_detached(proof, digest)
    found = [
        BitcoinAttestation(attestation.height, message)
        for message, attestation in stamp.all_attestations()
        if isinstance(attestation, BitcoinBlockHeaderAttestation)
    ]
    if any(len(one.merkle_root) != 32 or one.height > MAX_HEIGHT for one in found):
        raise ProofInvalid("a Merkle root has 32 bytes, and a block a height that there can be")
    if not found and not pending_at(stamp):
        raise ProofInvalid("the proof leads nowhere")
    return min(found, default=None)


def pending_at(stamp: Timestamp) -> list[tuple[str, bytes]]:
    """Calendars that promised to complete it, each with the commitment that they know it by."""
    return sorted(
        (attestation.uri, message)
        for message, attestation in stamp.all_attestations()
        if isinstance(attestation, PendingAttestation)
    )


def read_detached(proof: bytes, digest: bytes) -> Timestamp:
    """The operations and attestations of a detached file for this SHA-256 digest. Raises ProofInvalid."""
    if len(proof) > MAX_PROOF_BYTES:
        raise ProofInvalid(f"a proof has at most {MAX_PROOF_BYTES} bytes")
    try:
        file = DetachedTimestampFile.deserialize(BytesDeserializationContext(proof))
    except Exception as error:  # the library names no base for what hostile bytes make it raise
        what = "not an" if isinstance(error, BadMagicError) else "a damaged"
        raise ProofInvalid(f"{what} OpenTimestamps file") from None
    if not isinstance(file.file_hash_op, OpSHA256) or file.file_digest != digest:
        raise ProofInvalid("the proof is for other data")
    return file.timestamp


def read_stamp(data: bytes, commitment: bytes) -> Timestamp:
    """What a calendar answers with: operations and attestations from this commitment on. Raises ProofInvalid."""
    if len(data) > MAX_PROOF_BYTES:
        raise ProofInvalid(f"an answer has at most {MAX_PROOF_BYTES} bytes")
    try:
        context = BytesDeserializationContext(data)
        stamp = Timestamp.deserialize(context, commitment)
        context.assert_eof()
    except Exception:  # as above
        raise ProofInvalid("not an OpenTimestamps answer") from None
    return stamp


def detached(stamp: Timestamp) -> bytes:
    """The `.ots` file of a timestamp of a SHA-256 digest. Raises ProofInvalid for one that cannot be written."""
    context = BytesSerializationContext()
    try:
        DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
    except ValueError as error:
        raise ProofInvalid(f"not a timestamp of a SHA-256 digest: {error}") from None
    return bytes(context.getbytes())


def check_bitcoin_header(header: bytes, attestation: BitcoinAttestation) -> int:
    """The time in a block header (80 bytes), in milliseconds since 1970, when it is the one that the proof leads to.

    The header's hash is held against the difficulty that it states, which catches a garbled one. That it is the block
    of this height in the chain that everybody knows is for whoever supplied it to answer. Raises HeaderInvalid.
    """
    if len(header) != HEADER_BYTES:
        raise HeaderInvalid(f"a block header has {HEADER_BYTES} bytes")
    if header[36:68] != attestation.merkle_root:
        raise HeaderInvalid(f"block {attestation.height} has another Merkle root")
    if int.from_bytes(block_hash(header), "little") > _target(int.from_bytes(header[72:76], "little")):
        raise HeaderInvalid(f"the header of block {attestation.height} does not have the work that it claims")
    return int.from_bytes(header[68:72], "little") * 1000


def block_hash(header: bytes) -> bytes:
    """SHA-256 twice."""
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()


def read_bitcoin_headers(text: str) -> Mapping[int, bytes]:
    """Headers by height, from lines of a height and 160 hex digits (as `bitcoin-cli getblockheader HASH false` prints).

    Empty lines, and what follows a `#`, are ignored. Raises HeaderInvalid naming the line.
    """
    found: dict[int, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        said = line.partition("#")[0].strip()
        parts = _HEADERS_LINE.fullmatch(said)
        if parts is not None:
            found[int(parts[1])] = bytes.fromhex(parts[2])
        elif said:
            raise HeaderInvalid(f"line {number} is not a height and the 160 hex digits of a block header")
    return found


def _target(bits: int) -> int:
    """The compact form of Bitcoin's headers: an exponent of 256 and 23 bits of mantissa."""
    exponent, mantissa = bits >> 24, bits & 0x007FFFFF
    return mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
