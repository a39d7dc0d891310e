# SPDX-License-Identifier: Apache-2.0
"""Names of anchor files: what they say is what was written, and nothing else is read as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indelible.domain.anchors import MAX_HEIGHT, AnchorFile, parse_anchor_file, parse_anchor_path, safe_name

NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True)


@pytest.mark.parametrize(
    ("file", "path"),
    [
        (AnchorFile("cosignature", "w.example_1"), "anchors/000000000007/witness-w.example_1.cosignature"),
        (AnchorFile("token", "digi"), "anchors/000000000007/rfc3161-digi.tsr"),
        (AnchorFile("pending", "alice"), "anchors/000000000007/ots-alice.pending.ots"),
        (AnchorFile("bitcoin", "alice", 912_345), "anchors/000000000007/ots-alice.bitcoin-912345.ots"),
    ],
)
def test_the_four_kinds(file: AnchorFile, path: str) -> None:
    assert file.path(7) == path
    assert parse_anchor_path(path) == (7, file)


@given(st.sampled_from(["cosignature", "token", "pending"]), NAMES)
def test_a_name_is_read_as_it_was_written(kind: str, name: str) -> None:
    file = AnchorFile(kind, name)  # type: ignore[arg-type]
    read = parse_anchor_file(file.file_name)
    # A calendar whose name ends like a suffix is one that cannot be configured; nothing else is ambiguous.
    assert read == file or (kind == "pending" and read is not None and read.track == file.track)


@given(NAMES.filter(lambda name: ".bitcoin-" not in name and ".pending" not in name), st.integers(0, MAX_HEIGHT))
def test_a_height_is_read_as_it_was_written(name: str, height: int) -> None:
    file = AnchorFile("bitcoin", name, height)
    assert parse_anchor_file(file.file_name) == file


@pytest.mark.parametrize(
    "name",
    [
        "",
        "rfc3161-.tsr",
        "rfc3161-a b.tsr",
        "rfc3161-a.ts",
        "ots-a.ots",
        "ots-a.bitcoin-.ots",
        "ots-a.bitcoin-07.ots",
        "ots-a.bitcoin-9999999999.ots",
        "ots-a.bitcoin-\u0661.ots",
        "witness-a/b.cosignature",
        "x.cosignature",
    ],
)
def test_other_names_are_nobody_s(name: str) -> None:
    assert parse_anchor_file(name) is None


@pytest.mark.parametrize("path", ["anchors/7/rfc3161-a.tsr", "checkpoints/000000000007", "anchors/000000000007/"])
def test_other_paths_are_nobody_s(path: str) -> None:
    assert parse_anchor_path(path) is None


def test_what_makes_no_sense_cannot_be_made() -> None:
    for wrong in (("token", "a/b", None), ("token", "", None), ("bitcoin", "a", None), ("pending", "a", 7)):
        with pytest.raises(ValueError, match=r"track.s name|block height"):
            AnchorFile(*wrong)  # type: ignore[arg-type]


def test_key_names_become_file_names() -> None:
    assert safe_name("witness.example/w1") == "witness.example_w1"
    assert parse_anchor_file(AnchorFile("cosignature", safe_name("a b/ü+c")).file_name) is not None
