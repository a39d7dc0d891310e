# SPDX-License-Identifier: Apache-2.0
"""A key is taken in whatever form somebody has kept it, and what is wrong with a file is said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indelible.audit.anchors import trusted
from indelible.audit.keys import Pinned, pinned_key
from indelible.audit.source import NotEvidence
from indelible.domain import note
from indelible.domain.note import COSIGNATURE, VerifierKey
from tests.fakes.log import LEDGER_NAME, FakeSigner

PUBLIC_KEY = FakeSigner().public_key()
VKEY = note.verifier_key(LEDGER_NAME, PUBLIC_KEY)
OLD = note.verifier_key(LEDGER_NAME, FakeSigner(seed=9).public_key())
ANSWER = json.dumps({"keys": [{"generation": 2, "verifier_key": VKEY}, {"verifier_key": OLD}], "second": None})
FORMS = {"verifier key": VKEY, "PEM": note.public_key_pem(PUBLIC_KEY), "answer": ANSWER}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_the_key_in_use(form: str, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text(f"\n{FORMS[form]}\n")

    for given in (FORMS[form], str(path)):
        assert pinned_key(given) == Pinned(PUBLIC_KEY, None if form == "PEM" else LEDGER_NAME)


def test_a_witness_is_named_by_a_file_too(tmp_path: Path) -> None:
    witness = VerifierKey("witness.example", PUBLIC_KEY, COSIGNATURE)
    (tmp_path / "witness").write_text(f"{witness}\n")

    assert trusted(witnesses=[str(tmp_path / "witness")]).witnesses == (witness,)


def test_a_file_that_cannot_be_read_is_there_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "kept").write_text(VKEY)
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(NotEvidence, match=r"--key .*kept: Permission denied"):
        pinned_key(str(tmp_path / "kept"))
