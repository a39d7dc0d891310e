# SPDX-License-Identifier: Apache-2.0
"""The ledger's ML-DSA-44 key, in memory.

Invariant that it asserts on whoever calls it: it is asked for whole trees and without a time, and no two of its
signatures are alike, so that nothing can rest on their being so.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey


class FakeSecondSigner:
    """SecondSigner with a real key, hedged as FIPS 204 recommends."""

    def __init__(self, seed: int = 44) -> None:
        self._key = MLDSA44PrivateKey.from_seed_bytes(bytes([seed]) * 32)
        self.signatures: list[bytes] = []

    def sign(self, message: bytes) -> bytes:
        assert message.startswith(b"subtree/v1\n\0"), "signed something else than a tree"
        assert message[-48:-40] == bytes(8), "signed a part of a tree"
        name = message[13 : 13 + message[12]]
        assert message[13 + len(name) :][:8] == bytes(8), "said when"
        signature = self._key.sign(message)
        assert signature not in self.signatures, "hedged signatures differ"
        self.signatures.append(signature)
        return signature

    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()
