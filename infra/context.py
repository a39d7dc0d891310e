# SPDX-License-Identifier: Apache-2.0
"""The context of cdk.json for an app that the CDK command line did not start.

The command line hands its context over in the environment, and that wins; a plain ``python app.py`` would
otherwise run without the settings and the feature flags that every deployment has.
"""

from __future__ import annotations

import json
from pathlib import Path

CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"


def file_context(path: Path = CDK_JSON) -> dict[str, object]:
    """The ``context`` object of cdk.json, as defaults for ``App(context=…)``."""
    return dict(json.loads(path.read_text(encoding="utf-8"))["context"])
