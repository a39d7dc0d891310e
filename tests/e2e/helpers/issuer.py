# SPDX-License-Identifier: Apache-2.0
"""A token issuer on the loopback: OpenID Connect Discovery and a key set, over HTTP, with a fresh RSA key.

The tokens are made here from RFC 7515 and 7519 alone, so that forged ones can be made as easily as good ones.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

AUDIENCE = "indelible-ledger"
KEY_ID = "key-1"


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Issuer:
    """`url` is the `iss` of its tokens."""

    url: str
    key: rsa.RSAPrivateKey = field(default_factory=_new_key)

    def claims(self, org_id: Any, **more: Any) -> dict[str, Any]:
        """Those of a good token, with `more` over them; None leaves a claim out."""
        now = int(time.time())
        good = {"iss": self.url, "aud": AUDIENCE, "sub": "agent-7", "iat": now - 5, "nbf": now - 5, "exp": now + 300}
        return {name: value for name, value in {**good, "org_id": org_id, **more}.items() if value is not None}

    def token(self, org_id: Any, **more: Any) -> str:
        """A good token, unless `more` says otherwise."""
        return self.sign({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}, self.claims(org_id, **more), self.key)

    def forged(self, org_id: str) -> dict[str, str]:
        """Tokens with good claims that this issuer has not signed."""
        claims, good = self.claims(org_id), self.token(org_id)
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        symmetric = _signed_part({"alg": "HS256", "typ": "JWT", "kid": KEY_ID}, claims)
        mac = _b64(hmac.digest(public, symmetric.encode(), hashlib.sha256))
        head, _, signature = good.split(".")
        other = _b64(json.dumps(self.claims("somebody-else")).encode())
        return {
            "another key": self.sign({"alg": "RS256", "kid": KEY_ID}, claims, _new_key()),
            "an unknown key": self.sign({"alg": "RS256", "kid": "key-2"}, claims, self.key),
            "no key id": self.sign({"alg": "RS256"}, claims, self.key),
            "alg none": _signed_part({"alg": "none", "kid": KEY_ID}, claims) + ".",
            "alg none with a signature": _signed_part({"alg": "none", "kid": KEY_ID}, claims) + f".{signature}",
            "the public key as a secret": f"{symmetric}.{mac}",
            "claims of another token": f"{head}.{other}.{signature}",
            "no signature": good.rpartition(".")[0],
            "an empty signature": good.rpartition(".")[0] + ".",
            "garbage": "x.y.z",
        }

    def sign(self, header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
        """RS256, whatever the header says."""
        signed = _signed_part(header, claims)
        return f"{signed}.{_b64(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def published(self, path: str) -> dict[str, Any] | None:
        """What it answers at a path."""
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        if path == "/keys":
            numbers = self.key.public_key().public_numbers()
            modulus, exponent = (_b64(n.to_bytes((n.bit_length() + 7) // 8, "big")) for n in (numbers.n, numbers.e))
            return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": modulus, "e": exponent}]}
        return None


@contextmanager
def issuer() -> Iterator[Issuer]:
    """One that answers meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = serving.published(self.path)
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = Issuer(f"http://127.0.0.1:{server.server_address[1]}")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield serving
        finally:
            server.shutdown()


def _signed_part(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(_b64(json.dumps(part).encode()) for part in (header, claims))


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
