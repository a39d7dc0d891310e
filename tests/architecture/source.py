# SPDX-License-Identifier: Apache-2.0
"""The source files, and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers/ledger/python/indelible"
OURS = ("app.py", "infra", "lambdas", "layers", "local", "benchmarks", "tests", ".ci")
NOT_OURS = {"__pycache__", "node_modules", ".venv", "cdk.out", ".local", "build"}


@cache
def python_files() -> list[Path]:
    """Every Python file of the repository."""
    found: list[Path] = []
    for name in OURS:
        path = ROOT / name
        found += [path] if path.is_file() else path.rglob("*.py")
    return sorted(path for path in found if not NOT_OURS & set(path.relative_to(ROOT).parts))


def module_name(path: Path) -> str:
    """`indelible.domain.record` for a file of the layer."""
    parts = path.relative_to(LAYER.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, *, at_run_time: bool = True) -> set[str]:
    """Dotted names of all that a file imports, anywhere in it: `from a import b` gives `a.b`.

    With `at_run_time`, what stands under `if TYPE_CHECKING` is left out: it is never executed.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return set(_imports(tree, at_run_time=at_run_time))


def _imports(node: ast.AST, *, at_run_time: bool) -> Iterator[str]:
    if at_run_time and isinstance(node, ast.If) and _is_type_checking(node.test):
        for otherwise in node.orelse:
            yield from _imports(otherwise, at_run_time=at_run_time)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _is_dynamic(node.func):
        yield "importlib"
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, at_run_time=at_run_time)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _is_dynamic(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id == "__import__") or (
        isinstance(function, ast.Attribute) and function.attr == "import_module"
    )
