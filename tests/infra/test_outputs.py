# SPDX-License-Identifier: Apache-2.0
"""What is looked for among the outputs of the stacks is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from infra.config import LedgerConfig
from tests.documents import ROOT
from tests.infra.synth import synthesize

#: `outputs["BucketName"]`, `self._outputs["BucketName"]`, `self._anchor_outputs().get("AnchorStateMachineArn")`.
_READ = re.compile(r"""outputs(?:\(\))?(?:\[|\.get\()"([A-Z][A-Za-z]+)\"""")


def read() -> Iterator[tuple[str, str]]:
    """Which file reads which output."""
    for top in ("layers/ledger/python/indelible", "local"):
        for path in sorted((ROOT / top).rglob("*.py")):
            for name in _READ.findall(path.read_text(encoding="utf-8")):
                yield str(path.relative_to(ROOT)), name


def test_each_output_that_is_read_is_written(tmp_path: Path) -> None:
    config = LedgerConfig.from_context({"calendars": {"alice": "https://alice.example"}})
    whole = synthesize(tmp_path, config)
    written = {name for template in whole.templates.values() for name in template.get("Outputs", {})}
    found = list(read())
    assert {"BucketName", "AnchorStateMachineArn", "ExternalFunctionName", "ApiUrl"} <= {name for _, name in found}
    assert [(path, name) for path, name in found if name not in written] == []
