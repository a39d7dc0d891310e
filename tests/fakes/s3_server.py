# SPDX-License-Identifier: Apache-2.0
"""S3's GetObject of a version on a socket, for clients that are not boto3.

Holds them to the contract: SigV4 is computed here anew, from the specification, and the region is that of the bucket.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

BUCKET = "evidence"
Answer = tuple[int, dict[str, str], bytes]
Trouble = Callable[["Handler", Answer], Answer | None]
"""Another answer than the usual one; None once it has done something else to the connection."""


@dataclass
class FakeS3:
    """Objects by key and version id. `trouble` of a key meets every client, or, with `only`, those so called."""

    region: str = "eu-west-1"
    secrets: dict[str, str] = field(default_factory=lambda: {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG"})
    tokens: dict[str, str] = field(default_factory=dict)
    objects: dict[tuple[str, str], tuple[dict[str, str], bytes]] = field(default_factory=dict)
    trouble: dict[str, Trouble] = field(default_factory=dict)
    only: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Client ("crt" or "boto3") and key of each request."""
    url: str = ""

    def put(self, key: str, version_id: str, data: bytes, *, checksum: str | None = "", **headers: str) -> None:
        """With the checksum of the data, another one, or none."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        if checksum is not None:
            lines["x-amz-checksum-sha256"] = checksum or base64.b64encode(hashlib.sha256(data).digest()).decode()
        self.objects[key, version_id] = (lines, data)

    def by(self, client: str) -> list[str]:
        """The keys that it asked for."""
        return [key for name, key in self.seen if name == client]

    @contextmanager
    def serving(self) -> Iterator[FakeS3]:
        """On a port of its own."""
        with _Server(("127.0.0.1", 0), Handler) as server:
            server.fake = self
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    fake: FakeS3

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """GetObject."""
        fake, target = self.server.fake, urlsplit(self.path)
        key = unquote(target.path).removeprefix(f"/{BUCKET}/")
        agent = self.headers.get("user-agent", "")
        client = "boto3" if agent.startswith("Boto3/") else "crt" if "CRT" in agent else agent
        fake.seen.append((client, key))
        answer: Answer | None = self._refused() or self._found(key, dict(parse_qsl(target.query)))
        trouble = fake.trouble.get(key)
        if answer and trouble and fake.only in ("", client):
            answer = trouble(self, answer)
        if answer is None:
            self.close_connection = True
            return
        status, headers, body = answer
        self.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _found(self, key: str, query: dict[str, str]) -> Answer:
        found = self.server.fake.objects.get((key, query.get("versionId", "")))
        if found is None:
            return error(404, "NoSuchVersion")
        headers = {name: value for name, value in found[0].items() if self._shows(name)}
        return 200, headers, found[1]

    def _shows(self, header: str) -> bool:
        return "checksum" not in header or self.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED"

    def _refused(self) -> Answer | None:
        """SigV4 (Signature Version 4 for API requests, "Create a signed AWS API request")."""
        kind, _, rest = self.headers.get("authorization", "").partition(" ")
        parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if kind != "AWS4-HMAC-SHA256" or set(parts) != {"Credential", "SignedHeaders", "Signature"}:
            return error(403, "AccessDenied")
        who, *scope = parts["Credential"].split("/")
        fake, names = self.server.fake, parts["SignedHeaders"].split(";")
        if scope[1] != fake.region:
            return 301, {"x-amz-bucket-region": fake.region}, error(301, "PermanentRedirect")[2]
        if who not in fake.secrets or self.headers.get("x-amz-security-token") != fake.tokens.get(who):
            return error(403, "InvalidAccessKeyId")
        needed = {"host", *(name.lower() for name in self.headers if name.lower().startswith("x-amz-"))}
        target = urlsplit(self.path)
        query = "&".join(
            f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
            for name, value in sorted(parse_qsl(target.query, keep_blank_values=True))
        )
        signed = "".join(f"{name}:{' '.join(self.headers[name].split())}\n" for name in names)
        payload = self.headers["x-amz-content-sha256"]
        request = "\n".join(["GET", target.path, query, signed, ";".join(names), payload])
        to_sign = "\n".join([kind, self.headers["x-amz-date"], "/".join(scope), _sha256(request)])
        key = f"AWS4{fake.secrets[who]}".encode()
        for part in scope:
            key = hmac.digest(key, part.encode(), "sha256")
        right = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return None if right == parts["Signature"] and needed <= set(names) else error(403, "SignatureDoesNotMatch")

    def log_message(self, *_: Any) -> None:
        """Silence."""


def error(status: int, code: str) -> Answer:
    """As S3 answers."""
    return (
        status,
        {"content-type": "application/xml"},
        f"<Error><Code>{code}</Code><Message>-</Message></Error>".encode(),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
