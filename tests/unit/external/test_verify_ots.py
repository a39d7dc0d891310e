# SPDX-License-Identifier: Apache-2.0
"""OpenTimestamps proofs of a calendar: pending, completed, checked against headers, and forged."""

from __future__ import annotations

import hashlib

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpAppend, OpReverse, OpSHA256
from opentimestamps.core.timestamp import Timestamp

from indelible.external.verify_ots import (
    MAX_PROOF_BYTES,
    BitcoinAttestation,
    HeaderInvalid,
    ProofInvalid,
    check_bitcoin_header,
    pending_at,
    read_bitcoin_headers,
    read_ots,
    read_stamp,
    write_detached,
)
from local.external.calendar import FIRST_HEIGHT, Calendar
from local.external.web import Request
from tests.unit.external.conftest import DIGEST, Clock, stamped


def completed(calendar: Calendar, clock: Clock) -> bytes:
    _, stamp = stamped(calendar)
    ((_, commitment),) = pending_at(stamp)
    clock.now += 600
    answer = calendar(Request("GET", f"/timestamp/{commitment.hex()}", "", b""))
    (tip,) = stamp.ops.values()
    (inner,) = tip.ops.values()
    inner.merge(read_stamp(answer.body, commitment))
    return write_detached(stamp)


def headers(calendar: Calendar) -> str:
    return calendar(Request("GET", "/headers", "", b"")).body.decode()


def test_pending_and_then_in_a_block(calendar: Calendar, clock: Clock) -> None:
    proof, stamp = stamped(calendar)
    assert read_ots(proof, DIGEST) is None
    assert [uri for uri, _ in pending_at(stamp)] == [calendar.url]

    found = read_ots(completed(calendar, clock), DIGEST)

    assert found is not None
    assert found.height == FIRST_HEIGHT
    header = read_bitcoin_headers(headers(calendar))[found.height]
    assert check_bitcoin_header(header, found) == int(clock.now) * 1000


def test_two_digests_share_a_block_and_blocks_are_linked(calendar: Calendar, clock: Clock) -> None:
    proofs = [completed(calendar, clock) for _ in range(2)]
    heights = [read_ots(proof, DIGEST) for proof in proofs]
    assert [one.height for one in heights if one] == [FIRST_HEIGHT, FIRST_HEIGHT + 1]
    first, second = calendar.headers
    assert second[4:36] == hashlib.sha256(hashlib.sha256(first).digest()).digest()


def test_a_proof_is_of_one_digest(calendar: Calendar, clock: Clock) -> None:
    for proof in (stamped(calendar)[0], completed(calendar, clock)):
        with pytest.raises(ProofInvalid, match="other data"):
            read_ots(proof, hashlib.sha256(b"something else").digest())


def test_every_changed_byte_leads_elsewhere(calendar: Calendar, clock: Clock) -> None:
    proof = completed(calendar, clock)
    honest = read_ots(proof, DIGEST)
    assert honest is not None
    known = read_bitcoin_headers(headers(calendar))
    for place in range(len(proof)):
        wrong = proof[:place] + bytes([proof[place] ^ 1]) + proof[place + 1 :]
        try:
            found = read_ots(wrong, DIGEST)
        except ProofInvalid:
            continue
        # What is left are changes of the promise, which the block has overtaken, and of the height.
        assert found is None or found == honest or found.height not in known or found.merkle_root != honest.merkle_root


@pytest.mark.parametrize("data", [b"", b"x", bytes(200), b"x" * (MAX_PROOF_BYTES + 1)], ids=len)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ProofInvalid):
        read_ots(data, DIGEST)
    with pytest.raises(ProofInvalid):
        read_stamp(data, DIGEST)


def test_what_leads_nowhere_or_to_no_block_is_refused() -> None:
    unknown = Timestamp(DIGEST)
    unknown.ops.add(OpSHA256()).attestations.add(_Unknown())
    with pytest.raises(ProofInvalid, match="leads neither"):
        read_ots(write_detached(unknown), DIGEST)
    short = Timestamp(DIGEST)
    short.ops.add(OpAppend(b"x")).attestations.add(BitcoinBlockHeaderAttestation(7))
    with pytest.raises(ProofInvalid, match="32 bytes"):
        read_ots(write_detached(short), DIGEST)
    high = Timestamp(DIGEST)
    high.attestations.add(BitcoinBlockHeaderAttestation(1 << 40))
    with pytest.raises(ProofInvalid, match="height"):
        read_ots(write_detached(high), DIGEST)


def test_a_proof_too_deep_to_follow_is_refused() -> None:
    assert OpReverse.TAG == b"\xf2"
    with pytest.raises(ProofInvalid):
        read_stamp(b"\x08" * 1000, DIGEST)


def test_a_proof_is_of_a_sha256_digest() -> None:
    stamp = Timestamp(DIGEST[:20])
    stamp.attestations.add(PendingAttestation("https://calendar.example"))
    with pytest.raises(ProofInvalid):
        write_detached(stamp)


def test_the_lowest_block_counts() -> None:
    stamp = Timestamp(DIGEST)
    for height in (12, 7, 9):
        stamp.attestations.add(BitcoinBlockHeaderAttestation(height))
    assert read_ots(write_detached(stamp), DIGEST) == BitcoinAttestation(7, DIGEST)


def test_headers_are_held_against_what_they_claim(calendar: Calendar, clock: Clock) -> None:
    found = read_ots(completed(calendar, clock), DIGEST)
    assert found is not None
    (header,) = calendar.headers
    with pytest.raises(HeaderInvalid, match="80 bytes"):
        check_bitcoin_header(header[:79], found)
    with pytest.raises(HeaderInvalid, match="another Merkle root"):
        check_bitcoin_header(bytes(80), found)
    hard = header[:72] + bytes.fromhex("ffff001d") + header[76:]  # Bitcoin's first target
    with pytest.raises(HeaderInvalid, match="difficulty"):
        check_bitcoin_header(hard, found)


def test_bitcoin_s_first_header_is_as_everybody_knows_it() -> None:
    genesis = bytes.fromhex(
        "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f61"
        "7fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"
    )
    root = bytes.fromhex("4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b")[::-1]
    assert check_bitcoin_header(genesis, BitcoinAttestation(0, root)) == 1_231_006_505_000


def test_headers_are_read_from_lines() -> None:
    text = f"# heights and headers\n\n7 {'ab' * 80}\n  8\t{'CD' * 80}  # the next\n"
    assert read_bitcoin_headers(text) == {7: b"\xab" * 80, 8: b"\xcd" * 80}
    for wrong in ("7", f"7 {'ab' * 79}", f"x {'ab' * 80}", "7 " + "zz" * 80):
        with pytest.raises(HeaderInvalid, match="line 2"):
            read_bitcoin_headers(f"\n{wrong}\n")


class _Unknown(PendingAttestation):
    """An attestation of an unknown kind."""

    TAG = bytes(8)

    def __init__(self) -> None:
        super().__init__("https://nobody.example")

    def __hash__(self) -> int:
        return 1
