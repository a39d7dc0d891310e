# SPDX-License-Identifier: Apache-2.0
"""An RFC 3161 timestamp authority: ``openssl ts -reply`` behind HTTP (RFC 3161 §3.4), under a CA of its own.

Invariant: the root certificate is made once for a directory, so pinning it verifies every later token.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from local.external.web import Answer, Request
from local.state import LocalError

QUERY, REPLY = "application/timestamp-query", "application/timestamp-reply"
_DAYS = "3650"
_SECTION = "authority"
# Without `certs`: openssl would send the chain in an order that DER does not allow (docs/external-anchors.md).
# The paths are relative to the directory, in which every command runs.
_CONFIG = f"""\
[{_SECTION}]
serial = serial
signer_cert = signer.pem
signer_key = signer.key
signer_digest = sha256
ess_cert_id_alg = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256, sha384, sha512
accuracy = secs:1
"""
_SIGNER_EXTENSIONS = """\
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""
_EC = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    """Answers POSTed timestamp queries, and GET /root.pem."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()  # openssl keeps the serial number in a file
        if shutil.which("openssl") is None:
            raise LocalError("the stand-in timestamp authority needs the openssl command; install it")
        if not self.root.exists():
            directory.mkdir(parents=True, exist_ok=True)
            self._create()

    @property
    def root(self) -> Path:
        """The root certificate that verifies its tokens (PEM)."""
        return self._directory / "root.pem"

    def __call__(self, request: Request) -> Answer:
        """Answer a query in the body of a POST (RFC 3161 §3.4)."""
        if request.method == "GET" and request.path == "/root.pem":
            return Answer(200, self.root.read_bytes(), "application/x-pem-file")
        if request.method != "POST":
            return Answer(404, b"POST a timestamp query\n")
        if request.content_type != QUERY:
            return Answer(415, f"a query is {QUERY}\n".encode())
        return Answer(200, self._reply(request.body), REPLY)

    def _reply(self, query: bytes) -> bytes:
        """The reply (DER); for a query that openssl cannot read it is a rejection."""
        with tempfile.TemporaryDirectory(dir=self._directory) as scratch, self._lock:
            place = Path(scratch)
            (place / "query").write_bytes(query)
            self._openssl(
                *("ts", "-reply", "-config", "authority.cnf", "-section", _SECTION),
                *("-queryfile", str(place / "query"), "-out", str(place / "reply")),
            )
            return (place / "reply").read_bytes()

    def _create(self) -> None:
        """Make the CA and the signer's certificate; the root last, because its presence means that all is complete."""
        (self._directory / "authority.cnf").write_text(_CONFIG)
        (self._directory / "signer.cnf").write_text(_SIGNER_EXTENSIONS)
        (self._directory / "serial").write_text("01\n")
        subject = "/CN=Indelible stand-in timestamp root"
        self._openssl(
            *("req", "-x509", *_EC, "-keyout", "root.key", "-out", "root.new", "-days", _DAYS, "-subj", subject),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )
        subject = "/CN=Indelible stand-in timestamp authority"
        self._openssl("req", *_EC, "-keyout", "signer.key", "-out", "signer.csr", "-subj", subject)
        self._openssl(
            *("x509", "-req", "-in", "signer.csr", "-CA", "root.new", "-CAkey", "root.key", "-set_serial", "2"),
            *("-days", _DAYS, "-extfile", "signer.cnf", "-out", "signer.pem"),
        )
        (self._directory / "root.new").replace(self.root)

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(
            ["openssl", *arguments],
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        if done.returncode != 0:
            raise LocalError(f"openssl {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
