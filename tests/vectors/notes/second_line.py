# SPDX-License-Identifier: Apache-2.0
"""A checkpoint with the second line of docs/format.md, by the log's own ML-DSA-44 key.

`python -m tests.vectors.notes.second_line` writes it. Knows c2sp.org/tlog-cosignature, and nothing of Indelible's code.
Such signatures are hedged: each run makes another one, and all are good.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

HERE = Path(__file__).parent
ORIGIN, SIZE = "indelible/acme-corp", 1000
ROOT = hashlib.sha256(b"root").digest()


def line(kind: int, public_key: bytes, signature: bytes) -> str:
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]
    return f"— {ORIGIN} {base64.b64encode(key_id + signature).decode()}\n"


def verifier_key(kind: int, public_key: bytes) -> str:
    key_id = hashlib.sha256(ORIGIN.encode() + b"\n" + bytes([kind]) + public_key).digest()[:4]
    return f"{ORIGIN}+{key_id.hex()}+{base64.b64encode(bytes([kind]) + public_key).decode()}"


def main() -> None:
    first = Ed25519PrivateKey.from_private_bytes(bytes([0x67]) * 32)
    second = MLDSA44PrivateKey.from_seed_bytes(bytes([0x67]) * 32)
    public = first.public_key().public_bytes_raw(), second.public_key().public_bytes_raw()
    text = f"{ORIGIN}\n{SIZE}\n{base64.b64encode(ROOT).decode()}\n"
    name = bytes([len(ORIGIN)]) + ORIGIN.encode()
    message = b"subtree/v1\n\0" + name + struct.pack("!Q", 0) + name + struct.pack("!QQ", 0, SIZE) + ROOT
    lines = [
        line(0x01, public[0], first.sign(text.encode())),
        line(0x06, public[1], struct.pack("!Q", 0) + second.sign(message)),
    ]
    case = {
        "seed": (bytes([0x67]) * 32).hex(),
        "verifier_keys": [verifier_key(0x01, public[0]), verifier_key(0x06, public[1])],
        "message": message.hex(),
        "note": f"{text}\n{''.join(lines)}",
    }
    path = HERE / "second-line.json"
    path.write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
