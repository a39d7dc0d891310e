# SPDX-License-Identifier: Apache-2.0
"""Each method of an adapter names the IAM permissions that its calls need."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import LAYER

NO_PERMISSION = {"AwsDeployment.promised", "AwsDeployment.clock_ms"}  # no call, and one that nothing can deny


def methods() -> Iterator[tuple[str, str]]:
    """Public methods of classes that are made with a client of AWS, with their docstrings."""
    for path in sorted((LAYER / "aws").glob("*.py")):
        for cls in (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)):
            found = [node for node in cls.body if isinstance(node, ast.FunctionDef)]
            made_with = {one.arg for method in found if method.name == "__init__" for one in method.args.kwonlyargs}
            if made_with & {"client", "clients"}:
                yield from (
                    (f"{cls.name}.{method.name}", ast.get_docstring(method) or "")
                    for method in found
                    if not method.name.startswith("_")
                )


METHODS = {name: docstring for name, docstring in methods() if name not in NO_PERMISSION}


def test_there_are_adapters() -> None:
    assert len(METHODS) > 50


@pytest.mark.parametrize("name", METHODS)
def test_the_permissions_are_named(name: str) -> None:
    assert "IAM: " in METHODS[name] or "IAM, " in METHODS[name]
