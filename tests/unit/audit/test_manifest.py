# SPDX-License-Identifier: Apache-2.0
"""A manifest that does not describe what it lies beside breaks the verdict, whoever wrote it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from indelible.audit.bundle import BundleSource
from indelible.audit.verify import AuditRequest, audit
from indelible.domain import bundle
from indelible.domain.archive import archive, entry_of
from indelible.domain.canonical import canonical_bytes
from tests.fakes.audits import KEY, exported
from tests.fakes.world import World


def files() -> dict[str, bytes]:
    world = World()
    for first in (1, 3):
        world.record(first, first + 1)
        world.anchored()
    with zipfile.ZipFile(io.BytesIO(exported(world.bucket))) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def packed(path: Path, **changed: Any) -> Path:
    made = files()
    made[bundle.MANIFEST] = canonical_bytes({**json.loads(made[bundle.MANIFEST]), **changed})
    path.write_bytes(b"".join(archive((entry_of(name, data), [data]) for name, data in made.items())))
    return path


def test_one_that_was_not_changed(tmp_path: Path) -> None:
    assert audit(BundleSource(packed(tmp_path / "evidence.zip")), AuditRequest(key=KEY)).valid


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint": None},
        {"checkpoint": {"size": 2, "sha256": "0" * 64}},
        {"head": None},
        {"last_sequence": 5},
        {"records": 3},
        {"exported": {"valid": False, "first_broken_at": None, "failures_total": 0, "failures": []}},
    ],
)
def test_one_that_says_something_else(tmp_path: Path, changed: dict[str, Any]) -> None:
    verdict = audit(BundleSource(packed(tmp_path / "evidence.zip", **changed)), AuditRequest(key=KEY))

    assert not verdict.valid
    assert any(failure.s3_key in (bundle.MANIFEST, bundle.RECORDS) for failure in verdict.failures) or any(
        failure.code == "TRUNCATED" for failure in verdict.failures
    )
