# SPDX-License-Identifier: Apache-2.0
"""A matrix meets the same few signatures in every cell: each is verified once, by the ledger's own code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pytest

from indelible.domain.note_keys import VerifierKey


@pytest.fixture(scope="package", autouse=True)
def _each_signature_once() -> Iterator[None]:
    # Whether a key made a signature for a text depends on nothing else.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VerifierKey, "signed", lru_cache(maxsize=4096)(VerifierKey.signed))
        yield
