# SPDX-License-Identifier: Apache-2.0
"""docs/rest.md: its code runs, its examples are the code's own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from indelible.domain import canonical, credentials, record
from indelible.entry import gateway
from indelible.entry import openapi_examples as examples
from indelible.entry.openapi_routes import ROUTES
from indelible.errors import LedgerError

PAGE = (Path(__file__).parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_python_on_the_page_signs() -> None:
    (code,) = [block for block in blocks("python") if "def signed" in block]
    made: dict[str, Any] = {}
    exec(compile(code, "docs/rest.md", "exec"), made)
    arguments = json.loads(examples.EXAMPLE_SIGNED)
    assert made["signed"](arguments, examples.EXAMPLE_SECRET)["signature"] == examples.EXAMPLE_SIGNATURE
    for asked in (examples.RECORD, examples.BATCH):
        bare = {name: value for name, value in asked.items() if name != "signature"}
        assert made["signed"](bare, examples.EXAMPLE_SECRET) == asked
        assert credentials.sign(asked, examples.EXAMPLE_SECRET) == asked["signature"]


def test_the_worked_example_is_the_contract_s() -> None:
    assert f"{examples.EXAMPLE_SIGNED}\n" in blocks("json")
    assert examples.EXAMPLE_SECRET in PAGE
    assert examples.EXAMPLE_SIGNATURE in PAGE


def test_every_route_is_on_the_page_and_no_other() -> None:
    told = set(re.findall(r"^\| `((?:GET|POST) [^`]+)`", PAGE, re.MULTILINE))
    assert told == {route.key for route in ROUTES}


def test_the_refusal_on_the_page_has_the_members_of_a_refusal() -> None:
    (shown,) = [json.loads(block) for block in blocks("json") if "error" in block]
    assert shown["error"].keys() == LedgerError("m", field="f").as_dict().keys()


def test_the_limits_on_the_page_are_the_code_s() -> None:
    assert (gateway.MAX_BODY_BYTES, gateway.MAX_BATCH_BODY_BYTES) == (1 << 20, 5 << 20)
    assert record.MAX_RECORD_BYTES == 256 << 10
    assert (canonical.MAX_DEPTH, canonical.MAX_FIELD) == (32, 256)
