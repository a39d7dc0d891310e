# SPDX-License-Identifier: Apache-2.0
"""As much of openssl as the documentation uses.

`openssl dgst -sha256 -hmac KEY`, and `openssl pkeyutl -verify -pubin -inkey PEM -rawin -in TEXT -sigfile SIGNATURE`.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


def main() -> None:
    """What OpenSSL 3 prints."""
    command, *options = sys.argv[1:]
    if command == "dgst":
        digest, option, key = options
        assert (digest, option) == ("-sha256", "-hmac")
        print(f"SHA2-256(stdin)= {hmac.new(key.encode(), sys.stdin.buffer.read(), hashlib.sha256).hexdigest()}")
    else:
        assert (command, options[:3], options[4:6], options[7]) == (
            "pkeyutl",
            ["-verify", "-pubin", "-inkey"],
            ["-rawin", "-in"],
            "-sigfile",
        )
        verify(*(Path(options[place]).read_bytes() for place in (3, 6, 8)))


def verify(pem: bytes, text: bytes, signature: bytes) -> None:
    """Ed25519; exit status 1 when it does not verify."""
    key = load_pem_public_key(pem)
    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signature, text)
    except InvalidSignature:
        print("Signature Verification Failure")
        sys.exit(1)
    print("Signature Verified Successfully")


main()
