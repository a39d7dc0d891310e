# SPDX-License-Identifier: Apache-2.0
"""What every file owes: a licence line, a word about itself, and a size that can be read in one sitting."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import LAYER, ROOT, python_files

MOST_LINES = 300
STILL_LONGER: dict[str, int] = {}
"""Files over the limit that wait to be split. They may shrink and not grow; a new one does not belong here."""

FILES = [path for path in python_files() if path.stat().st_size]
IDS = [path.relative_to(ROOT).as_posix() for path in FILES]


def test_there_are_files_to_look_at() -> None:
    assert {"app.py", "tests/architecture/test_files.py"} <= set(IDS)
    assert len(IDS) > 100


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_licence_and_docstring(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    first = next(line for line in text.splitlines() if not line.startswith("#!"))
    assert first == "# SPDX-License-Identifier: Apache-2.0"
    assert ast.get_docstring(ast.parse(text)), "a module says what it is for, and its invariant"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_size(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    lines = len(path.read_text(encoding="utf-8").splitlines())

    if name in STILL_LONGER:
        assert MOST_LINES < lines <= STILL_LONGER[name], "it has grown; or it is short enough now: take it off the list"
    else:
        assert lines <= MOST_LINES, "split it"


PAGE = sorted(path for path in (LAYER / "page").rglob("*") if path.suffix in (".js", ".css", ".html"))


@pytest.mark.parametrize("path", PAGE, ids=[path.name for path in PAGE])
def test_what_the_evidence_page_is_made_of_can_be_read_too(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2])
    assert len(lines) <= MOST_LINES, "split it"
    assert path.suffix == ".html" or max(map(len, lines)) <= 125
    assert path.suffix == ".html" or lines[1].startswith(("// ", "/* ")), "a word about what it is for"


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_nothing_skips_quietly(path: Path) -> None:
    """A test that skips when its data is missing passes for the wrong reason."""
    relative = path.relative_to(ROOT).parts
    if relative[0] != "tests" or relative[1] == "architecture":
        return
    called = {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}

    assert not {name for name in called if name in ("pytest.skip", "pytest.importorskip", "pytest.mark.skip")}
