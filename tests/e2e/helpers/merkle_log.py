# SPDX-License-Identifier: Apache-2.0
"""An organisation's Merkle log as a stranger reads it: from bucket and /v1/keys, with code that is not the ledger's."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.e2e.helpers import rfc9162
from tests.e2e.helpers.admin import Admin
from tests.e2e.helpers.tenant import Tenant, http

_NUMBERED = re.compile(r"checkpoints/([0-9]{12})")


@dataclass
class MerkleLog:
    """Of one organisation."""

    admin: Admin
    org_id: str

    @staticmethod
    def of(org: Tenant) -> MerkleLog:
        return MerkleLog(Admin.of(org.ledger), org.org_id)

    @property
    def origin(self) -> str:
        return f"{self.admin.ledger.ledger_name}/{self.org_id}"

    @cached_property
    def key(self) -> bytes:
        """The ledger's public key, as it is published."""
        (published,) = http().get(f"{self.admin.ledger.api_url}/v1/keys").json()["keys"]
        return rfc9162.public_key(published["public_key_pem"])

    def s3_key(self, path: str) -> str:
        return f"{self.org_id}/_log/{path}"

    def read(self, path: str) -> bytes:
        return self.admin.body(self.s3_key(path))

    def versions(self, path: str = "") -> list[dict[str, Any]]:
        """Whatever the log has below a path, all versions."""
        return self.admin.versions(self.s3_key(path))

    def files(self) -> set[str]:
        """The paths of everything in the log; without what the ledger's own log puts beside it, round by round."""
        prefix = self.s3_key("")
        paths = {found["Key"].removeprefix(prefix) for found in self.versions()}
        return {path for path in paths if not path.startswith("ledger/")}

    def sizes(self) -> list[int]:
        """Tree sizes that a checkpoint was published for."""
        return sorted(int(found[1]) for path in self.files() if (found := _NUMBERED.fullmatch(path)))

    def opened(self, path: str) -> tuple[int, bytes]:
        """Size and root of a checkpoint; ValueError unless this log's key signed it."""
        return rfc9162.opened(self.read(path), self.origin, self.key)

    def checkpoint(self, size: int) -> bytes:
        """The root that was signed for a size."""
        found, root = self.opened(numbered(size))
        assert found == size
        return root

    def state(self) -> dict[str, int] | None:
        """What the table says of the log."""
        found = self.admin.item(self.org_id, "LOG")
        names = ("tree_size", "published", "cleared")
        return {name: int(found[name]["N"]) for name in names} if found else None

    def anchor(self) -> dict[str, Any]:
        """Run the anchor for this organisation."""
        return self.admin.anchor(self.org_id)

    def sign(self, size: int, root: bytes, origin: str | None = None) -> bytes:
        """A checkpoint signed with the ledger's own key, by somebody who may use it."""
        origin = origin or self.origin
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = self.admin.client("kms").sign(
            KeyId=self.admin.ledger.signing_key_id,
            Message=text.encode(),
            MessageType="RAW",
            SigningAlgorithm="ED25519_SHA_512",
        )["Signature"]
        blob = rfc9162.sha256(origin.encode(), b"\n\x01", self.key)[:4] + signature
        return f"{text}\n\u2014 {origin} {base64.b64encode(blob).decode()}\n".encode()


def numbered(size: int) -> str:
    return f"checkpoints/{size:012d}"
