# SPDX-License-Identifier: Apache-2.0
"""As much of openssl as the documentation uses: `openssl dgst -sha256 -hmac KEY`."""

from __future__ import annotations

import hashlib
import hmac
import sys


def main() -> None:
    """The HMAC of standard input, as OpenSSL 3 prints it."""
    command, digest, option, key = sys.argv[1:]
    assert (command, digest, option) == ("dgst", "-sha256", "-hmac")
    print(f"SHA2-256(stdin)= {hmac.new(key.encode(), sys.stdin.buffer.read(), hashlib.sha256).hexdigest()}")


main()
