# SPDX-License-Identifier: Apache-2.0
"""Archives that every tool reads, and whose bytes are the same wherever they are made."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from indelible.domain import archive as archives
from indelible.domain.archive import archive, entry_of

FILES = {"README.txt": b"hello\n", "log/checkpoints/000000000001": b"", "records.jsonl": b"{}\n" * 1000}


def made(files: dict[str, bytes] = FILES) -> bytes:
    return b"".join(archive((entry_of(path, data), [data[:7], data[7:]]) for path, data in files.items()))


def test_what_went_in_comes_out_in_order() -> None:
    with zipfile.ZipFile(io.BytesIO(made())) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == FILES
        assert list(found.namelist()) == list(FILES)
        infos = found.infolist()
    assert {info.compress_type for info in infos} == {zipfile.ZIP_STORED}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.external_attr >> 16 for info in infos} == {0o100644}


def test_the_bytes_are_known() -> None:
    assert hashlib.sha256(made()).hexdigest() == "b39f8489680c5c2344dba8d884cd958c11e2b115feab057a6ae3cb68398e2528"


def test_python_s_own_writer_makes_the_same_archive() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as theirs:
        for path, data in FILES.items():
            info = zipfile.ZipInfo(path)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            theirs.writestr(info, data)
    assert out.getvalue() == made()


@pytest.mark.skipif(shutil.which("unzip") is None, reason="no unzip here")
def test_unzip_is_content(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(made())
    subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)


def test_lengths_and_offsets_that_32_bits_do_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields of 64 bits, written from 2,000 bytes on instead of 4 GiB. (The real thing was tried by hand.)"""
    monkeypatch.setattr(archives, "_LIMIT", 2000)
    data = made()
    assert data.count(b"PK\x06\x06") == data.count(b"PK\x06\x07") == 1
    with zipfile.ZipFile(io.BytesIO(made({**FILES, "z": b"behind it"}))) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {**FILES, "z": b"behind it"}


@pytest.mark.parametrize("content", [[b"hell"], [b"hello", b"!"], [b"hallo"]])
def test_a_content_that_is_not_the_announced_one(content: list[bytes]) -> None:
    with pytest.raises(ValueError, match="not what its entry says"):
        list(archive([(entry_of("a", b"hello"), content)]))


def test_many_files() -> None:
    names = [f"log/{number:06d}" for number in range(70_000)]
    data = b"".join(archive((entry_of(name, b""), []) for name in names))
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.namelist() == names
