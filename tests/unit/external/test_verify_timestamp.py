# SPDX-License-Identifier: Apache-2.0
"""Tokens of an authority: what is read from them, which roots verify them, and that all others are refused."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimeStampRequest, TimestampRequestBuilder

from indelible.external.der import sort_certificates
from indelible.external.verify_timestamp import (
    MAX_RESPONSE_BYTES,
    TimestampInvalid,
    read_timestamp_token,
    verify_timestamp_token,
)
from local.external.authority import Authority
from tests.unit.external.conftest import DATA, asked


def query(data: bytes = DATA, algorithm: HashAlgorithm = HashAlgorithm.SHA256) -> TimeStampRequest:
    return TimestampRequestBuilder().data(data).hash_algorithm(algorithm).build()


@pytest.fixture(scope="module")
def response(authority: Authority) -> bytes:
    return asked(authority, query().as_bytes())


@pytest.fixture(scope="module")
def roots(authority: Authority) -> bytes:
    return authority.root.read_bytes()


@pytest.mark.parametrize("algorithm", list(HashAlgorithm))
def test_the_time_comes_out_for_the_data(authority: Authority, roots: bytes, algorithm: HashAlgorithm) -> None:
    asked_for = query(algorithm=algorithm)
    reply = asked(authority, asked_for.as_bytes())
    found = verify_timestamp_token(reply, DATA, roots)
    assert read_timestamp_token(reply, DATA, nonce=asked_for.nonce) == found
    assert abs(found / 1000 - time.time()) < 60


def test_other_data_another_nonce_and_another_root_are_refused(response: bytes, roots: bytes, tmp_path: Path) -> None:
    with pytest.raises(TimestampInvalid, match="other data"):
        read_timestamp_token(response, DATA + b"x")
    with pytest.raises(TimestampInvalid, match="nonce"):
        read_timestamp_token(response, DATA, nonce=1)
    with pytest.raises(TimestampInvalid, match="signature does not verify"):
        verify_timestamp_token(response, DATA, Authority(tmp_path).root.read_bytes())
    with pytest.raises(TimestampInvalid, match="not PEM"):
        verify_timestamp_token(response, DATA, b"no certificate")
    with pytest.raises(TimestampInvalid, match="other data"):
        verify_timestamp_token(response, DATA + b"x", roots)


def test_a_rejection_is_no_timestamp(authority: Authority) -> None:
    with pytest.raises(TimestampInvalid, match="PKIStatus 2"):
        read_timestamp_token(asked(authority, b"no query"), DATA)


@pytest.mark.parametrize("data", [b"", b"0", b"x" * 40, b"\x30\x80", b"x" * (MAX_RESPONSE_BYTES + 1)], ids=len)
def test_what_is_no_response_is_refused(data: bytes) -> None:
    with pytest.raises(TimestampInvalid):
        read_timestamp_token(data, DATA)


def test_a_response_that_is_cut_or_goes_on_is_refused(response: bytes, roots: bytes) -> None:
    for wrong in (response[:-1], response[: len(response) // 2], response + b"\x00"):
        with pytest.raises(TimestampInvalid):
            verify_timestamp_token(wrong, DATA, roots)


def test_a_changed_byte_is_noticed_or_changes_nothing(response: bytes, roots: bytes) -> None:
    """Changing any byte of the token makes it invalid, or changes nothing that is read from it."""
    honest = verify_timestamp_token(response, DATA, roots)
    noticed = 0
    for place in range(0, len(response), 7):
        wrong = response[:place] + bytes([response[place] ^ 1]) + response[place + 1 :]
        try:
            assert verify_timestamp_token(wrong, DATA, roots) == honest
        except TimestampInvalid:
            noticed += 1
    assert noticed > len(response) / 7 * 0.9


def test_certificates_in_openssl_s_order_are_read(authority: Authority, roots: bytes, tmp_path: Path) -> None:
    """As authorities built on openssl send them: in the order of the chain, not sorted as DER requires."""
    place = authority.root.parent
    config = (place / "authority.cnf").read_text() + "certs = root.pem\n"
    (tmp_path / "chain.cnf").write_text(config)
    (tmp_path / "query").write_bytes(query().as_bytes())
    subprocess.run(
        [
            *("openssl", "ts", "-reply", "-config", tmp_path / "chain.cnf", "-section", "authority"),
            *("-queryfile", tmp_path / "query", "-out", tmp_path / "reply"),
        ],
        cwd=place,
        check=True,
        capture_output=True,
    )
    reply = (tmp_path / "reply").read_bytes()
    in_order = sort_certificates(reply)
    assert len(in_order) == len(reply)
    assert sort_certificates(in_order) == in_order
    assert in_order != reply, "openssl has changed its mind: nothing is left to sort"
    assert verify_timestamp_token(reply, DATA, roots) > 0


@pytest.mark.parametrize("data", [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", bytes(100), b"\x30\x03\x02\x01"])
def test_sorting_leaves_alone_what_it_does_not_know(data: bytes) -> None:
    assert sort_certificates(data) == data
