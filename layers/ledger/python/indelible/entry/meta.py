# SPDX-License-Identifier: Apache-2.0
"""The public routes, which need no signature: health, signing keys, and the OpenAPI document.

Invariant: no response names a bucket, a table, an account or an organisation. Of the bucket's content, only the
statements of the signing keys are read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from indelible import __version__
from indelible.domain import instants, note
from indelible.domain.canonical import JsonObject
from indelible.domain.keyring import KeyRing, RingKey
from indelible.entry import openapi
from indelible.entry.env import Settings
from indelible.entry.meta_models import HealthResponse, KeysResponse, SecondKey, SigningKey
from indelible.entry.operations import Caller, Routes
from indelible.entry.rest import Reply
from indelible.ports import BucketProbe, Clock, PublicKey, Telemetry

TOOLS = 3
"""record_audit_event, get_audit_proof, verify_chain."""

_PROBE_INTERVAL_MS = 5_000
_DOCUMENT_MAX_AGE_S = 300
_KEYS_MAX_AGE_S = 300


class Meta:
    """GET /health, /v1/keys and /openapi.json."""

    def __init__(
        self,
        *,
        settings: Settings,
        probe: BucketProbe,
        keys: Callable[[], KeyRing],
        clock: Clock,
        telemetry: Telemetry,
        second: PublicKey | None = None,
    ) -> None:
        self._settings = settings
        self._probe = probe
        self._keys = keys
        self._second = second
        self._clock = clock
        self._telemetry = telemetry
        self._last_probe: tuple[int, bool] | None = None
        self.routes: Routes = {
            "GET /health": self.health,
            "GET /v1/keys": self.keys,
            "GET /openapi.json": self.openapi,
        }

    def health(self, _arguments: JsonObject, _caller: Caller) -> Reply:
        """Whether the bucket answers; 503 when it does not."""
        connected = self._connected()
        answer = HealthResponse(
            status="healthy" if connected else "unhealthy",
            version=__version__,
            tools_available=TOOLS,
            s3_connected=connected,
        )
        return Reply(content=answer, status=200 if connected else 503)

    def keys(self, _arguments: JsonObject, _caller: Caller) -> Reply:
        """The keys that checkpoints are signed with, the one in use first.

        Each has the ledger's name as its key name, which is also the origin of the log that is anchored externally.
        """
        name = self._settings.ledger_name
        keys = [_signing_key(name, key) for key in reversed(self._keys().keys)]
        second = None if self._second is None else _second_key(name, self._second.public_key())
        return Reply(content=KeysResponse(keys=keys, second=second), max_age_s=_KEYS_MAX_AGE_S)

    def openapi(self, _arguments: JsonObject, _caller: Caller) -> Reply:
        """The contract of every REST route."""
        return Reply(content=_document(), max_age_s=_DOCUMENT_MAX_AGE_S)

    def _connected(self) -> bool:
        # The route is public: however often it is called, S3 is called once in an interval.
        now = self._clock.now_ms()
        if self._last_probe is None or not 0 <= now - self._last_probe[0] < _PROBE_INTERVAL_MS:
            trouble = self._probe.trouble()
            if trouble is not None:
                self._telemetry.note("unhealthy", s3=trouble)
            self._last_probe = (now, trouble is None)
        return self._last_probe[1]


def _signing_key(name: str, key: RingKey) -> SigningKey:
    return SigningKey(
        key_id=note.key_hash(name, key.public_key),
        verifier_key=note.verifier_key(name, key.public_key),
        public_key_pem=note.public_key_pem(key.public_key),
        origin=name,
        generation=key.generation,
        valid_from=None if key.valid_from_ms is None else instants.to_text(key.valid_from_ms),
        valid_until=None if key.valid_until_ms is None else instants.to_text(key.valid_until_ms),
        statement=None if key.statement is None else key.statement.data.decode(),
    )


def _second_key(name: str, public_key: bytes) -> SecondKey:
    key = note.VerifierKey(name, public_key, note.ML_DSA_44)
    return SecondKey(key_id=key.key_id.hex(), verifier_key=str(key), origin=name)


@cache
def _document() -> bytes:
    return openapi.encode()
