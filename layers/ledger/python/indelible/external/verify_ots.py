# SPDX-License-Identifier: Apache-2.0
"""Read OpenTimestamps proofs, and check them against Bitcoin block headers.

Invariant: the block's Merkle root is recomputed from the digest by the proof's operations. Only the block's height is
taken from the proof, and the header of that block confirms or refutes it.
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
    """The bytes are not an OpenTimestamps proof of this digest."""


class HeaderInvalid(ValueError):
    """The bytes are not the block header that the proof leads to."""


class BitcoinAttestation(NamedTuple):
    """The block of this height has this Merkle root (32 bytes, in the header's byte order)."""

    height: int
    merkle_root: bytes


def read_ots(proof: bytes, digest: bytes) -> BitcoinAttestation | None:
    """The lowest block that a detached `.ots` file leads to from this SHA-256 digest; None while it is pending.

    Raises ProofInvalid when it is for another digest, or leads neither to a block nor to a calendar.
    """
    stamp = read_detached(proof, digest)
    attestations = [
        BitcoinAttestation(attestation.height, message)
        for message, attestation in stamp.all_attestations()
        if isinstance(attestation, BitcoinBlockHeaderAttestation)
    ]
    if any(len(one.merkle_root) != 32 or one.height > MAX_HEIGHT for one in attestations):
        raise ProofInvalid(f"a Merkle root has 32 bytes, and a block height is at most {MAX_HEIGHT}")
    if not attestations and not pending_at(stamp):
        raise ProofInvalid("the proof leads neither to a block nor to a calendar")
    return min(attestations, default=None)


def pending_at(stamp: Timestamp) -> list[tuple[str, bytes]]:
    """The URLs of the calendars that are to complete the proof, each with its commitment there."""
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
    except Exception as error:  # the library documents no base class for what hostile bytes make it raise
        what = "not an" if isinstance(error, BadMagicError) else "a damaged"
        raise ProofInvalid(f"{what} OpenTimestamps file") from None
    if not isinstance(file.file_hash_op, OpSHA256) or file.file_digest != digest:
        raise ProofInvalid("the proof is for other data")
    return file.timestamp


def read_stamp(data: bytes, commitment: bytes) -> Timestamp:
    """A calendar's answer: operations and attestations that continue from this commitment. Raises ProofInvalid."""
    if len(data) > MAX_PROOF_BYTES:
        raise ProofInvalid(f"an answer has at most {MAX_PROOF_BYTES} bytes")
    try:
        context = BytesDeserializationContext(data)
        stamp = Timestamp.deserialize(context, commitment)
        context.assert_eof()
    except Exception:  # as above
        raise ProofInvalid("not an OpenTimestamps answer") from None
    return stamp


def write_detached(stamp: Timestamp) -> bytes:
    """The `.ots` file of a timestamp of a SHA-256 digest. Raises ProofInvalid for one that cannot be written."""
    context = BytesSerializationContext()
    try:
        DetachedTimestampFile(OpSHA256(), stamp).serialize(context)
    except ValueError as error:
        raise ProofInvalid(f"not a timestamp of a SHA-256 digest: {error}") from None
    return bytes(context.getbytes())


def check_bitcoin_header(header: bytes, attestation: BitcoinAttestation) -> int:
    """The time of a block header (80 bytes), in milliseconds since 1970, if the proof leads to that header.

    The header's hash must meet the difficulty that the header states, which detects a damaged one. Whether it is the
    block of this height in the Bitcoin chain is not checked: the caller vouches for the header. Raises HeaderInvalid.
    """
    if len(header) != HEADER_BYTES:
        raise HeaderInvalid(f"a block header has {HEADER_BYTES} bytes")
    if header[36:68] != attestation.merkle_root:
        raise HeaderInvalid(f"block {attestation.height} has another Merkle root")
    if int.from_bytes(block_hash(header), "little") > _target(int.from_bytes(header[72:76], "little")):
        raise HeaderInvalid(f"the header of block {attestation.height} does not meet its own difficulty")
    return int.from_bytes(header[68:72], "little") * 1000


def block_hash(header: bytes) -> bytes:
    """SHA-256(SHA-256(header)): 32 bytes, which Bitcoin tools print reversed."""
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()


def read_bitcoin_headers(text: str) -> Mapping[int, bytes]:
    """Headers by height, from lines of a height and 160 hex digits (as `bitcoin-cli getblockheader HASH false` prints).

    Empty lines, and what follows a `#`, are ignored. Raises HeaderInvalid naming the line.
    """
    headers: dict[int, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        content = line.partition("#")[0].strip()
        match = _HEADERS_LINE.fullmatch(content)
        if match is not None:
            headers[int(match[1])] = bytes.fromhex(match[2])
        elif content:
            raise HeaderInvalid(f"line {number} is not a height and the 160 hex digits of a block header")
    return headers


def _target(bits: int) -> int:
    """The target that the header's `nBits` encodes: mantissa (23 bits) times 256 to the power of exponent - 3."""
    exponent, mantissa = bits >> 24, bits & 0x007FFFFF
    return mantissa << 8 * (exponent - 3) if exponent >= 3 else mantissa >> 8 * (3 - exponent)
