# SPDX-License-Identifier: Apache-2.0
"""The clients of authority and calendar, with stand-ins over HTTP and with ones that misbehave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation, PendingAttestation
from opentimestamps.core.op import OpSHA256
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp

from indelible.external.http import Http
from indelible.external.opentimestamps import CalendarServer
from indelible.external.rfc3161 import TimestampServer
from indelible.external.verify_ots import read_ots, write_detached
from indelible.external.verify_timestamp import verify_timestamp_token
from indelible.ports.external import BadAnswer, ExternalFailure, NoAnswer, Refused
from local.external.authority import QUERY, REPLY, Authority
from local.external.calendar import FIRST_HEIGHT, Calendar
from local.external.web import Answer, Program, Request, serving
from tests.unit.external.conftest import DATA, DIGEST, Clock, asked

OTHER = hashlib.sha256(b"other").digest()


@contextmanager
def authority_at(program: Program) -> Iterator[TimestampServer]:
    with serving(lambda _: program) as url:
        yield TimestampServer(name="tsa", url=url, http=Http())


# -- timestamp authorities ------------------------------------------------------------------------------


def test_a_token_comes_home(authority: Authority) -> None:
    with authority_at(authority) as client:
        response = client.stamp(DATA)
        assert response != client.stamp(DATA), "a nonce each"
    assert verify_timestamp_token(response, DATA, authority.root.read_bytes()) > 0


def test_a_token_for_somebody_else_is_refused(authority: Authority) -> None:
    """An answer to an earlier request: right hash, other nonce. And one for other data, with the right nonce."""
    kept: list[bytes] = []

    def replayed(request: Request) -> Answer:
        kept.append(asked(authority, request.body))
        return Answer(200, kept[0], REPLY)

    with authority_at(replayed) as client:
        client.stamp(DATA)
        with pytest.raises(BadAnswer, match="nonce"):
            client.stamp(DATA)

    def other(request: Request) -> Answer:
        return Answer(200, asked(authority, request.body.replace(hashlib.sha256(DATA).digest(), OTHER)), REPLY)

    with authority_at(other) as client, pytest.raises(BadAnswer, match="other data"):
        client.stamp(DATA)


def test_who_grants_nothing_refuses(authority: Authority) -> None:
    rejection = Answer(200, asked(authority, b"no query"), REPLY)
    for answer, says in ((rejection, "PKIStatus 2"), (Answer(403), "403")):
        with authority_at(lambda _, answer=answer: answer) as client, pytest.raises(Refused, match=says):
            client.stamp(DATA)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\x30\x03\x02\x01\x00", b"x" * 70_000], ids=len)
def test_what_is_no_token_is_refused(body: bytes) -> None:
    with authority_at(lambda _: Answer(200, body, REPLY)) as client, pytest.raises(BadAnswer):
        client.stamp(DATA)


def test_the_stand_in_speaks_the_protocol(authority: Authority) -> None:
    assert authority(Request("POST", "/", "text/plain", b"x")).status == 415
    assert authority(Request("GET", "/", "", b"")).status == 404
    assert authority(Request("GET", "/root.pem", "", b"")).body == authority.root.read_bytes()
    assert authority(Request("POST", "/", QUERY, b"x")).content_type == REPLY


# -- calendars --------------------------------------------------------------------------------------------


@pytest.fixture
def client(calendar: Calendar) -> CalendarServer:
    return CalendarServer(name="alice", url=f"{calendar.url}/", http=Http())


def test_a_promise_and_later_a_block(calendar: Calendar, client: CalendarServer, clock: Clock) -> None:
    proof = client.submit(DIGEST)
    assert read_ots(proof, DIGEST) is None
    assert client.upgrade(proof, DIGEST) is None
    clock.now += 600
    completed = client.upgrade(proof, DIGEST)
    assert completed is not None
    height, data = completed
    assert height == FIRST_HEIGHT
    found = read_ots(data, DIGEST)
    assert found is not None
    assert found.merkle_root == calendar.headers[0][36:68]
    assert client.upgrade(data, DIGEST) == completed, "asking again changes nothing"


def test_the_proof_of_something_else_is_not_completed(client: CalendarServer) -> None:
    with pytest.raises(BadAnswer, match="other data"):
        client.upgrade(client.submit(DIGEST), OTHER)


def serialized(stamp: Timestamp) -> bytes:
    context = BytesSerializationContext()
    stamp.serialize(context)
    return bytes(context.getbytes())


def promise(uri: str, digest: bytes = DIGEST) -> Timestamp:
    stamp = Timestamp(digest)
    stamp.ops.add(OpSHA256()).attestations.add(PendingAttestation(uri))
    return stamp


def calendar_at(make: Callable[[str], Program]) -> Iterator[CalendarServer]:
    with serving(make) as url:
        yield CalendarServer(name="alice", url=url, http=Http())


@pytest.mark.parametrize(
    ("answer", "failure", "says"),
    [
        (Answer(200, b""), BadAnswer, "not an OpenTimestamps answer"),
        (Answer(200, b"rubbish"), BadAnswer, "not an OpenTimestamps answer"),
        (Answer(200, b"\x08" * 300), BadAnswer, "not an OpenTimestamps answer"),
        (Answer(200, b"x" * 10_001), BadAnswer, "more than"),
        (Answer(400, b"no"), Refused, "400"),
        (Answer(503), NoAnswer, "503"),
        (Answer(200, serialized(promise("https://elsewhere.example"))), BadAnswer, "another address"),
        (Answer(200, serialized(promise("http://169.254.169.254"))), BadAnswer, "another address"),
    ],
)
def test_a_calendar_that_promises_nothing_good(answer: Answer, failure: type[ExternalFailure], says: str) -> None:
    for client in calendar_at(lambda _: lambda __: answer):
        with pytest.raises(failure, match=says):
            client.submit(DIGEST)


def test_only_the_configured_address_is_ever_asked() -> None:
    """A proof with two pending attestations, one of them at another address, which is not contacted."""
    paths: list[str] = []

    def make(url: str) -> Program:
        def program(request: Request) -> Answer:
            paths.append(request.path)
            if request.method == "POST":
                stamp = promise(url)
                stamp.merge(promise("http://127.0.0.1:1"))
                return Answer(200, serialized(stamp))
            return Answer(404)

        return program

    for client in calendar_at(make):
        assert client.upgrade(client.submit(DIGEST), DIGEST) is None
    assert paths == ["/digest", f"/timestamp/{hashlib.sha256(DIGEST).hexdigest()}"]


def lie(stamp: Timestamp, height: int) -> bytes:
    stamp.attestations.add(BitcoinBlockHeaderAttestation(height))
    return serialized(stamp)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(200, b"rubbish"), "not an OpenTimestamps answer"),
        (Answer(200, lie(Timestamp(bytes(32)), 1 << 40)), "height"),
        (Answer(200, lie(Timestamp(bytes(32)), 7)[:-1]), "not an OpenTimestamps answer"),
        (Answer(302), "a redirect"),
    ],
)
def test_a_completion_that_is_none(answer: Answer, says: str) -> None:
    for client in calendar_at(
        lambda url: lambda r: Answer(200, serialized(promise(url))) if r.method == "POST" else answer
    ):
        with pytest.raises(BadAnswer, match=says):
            client.upgrade(client.submit(DIGEST), DIGEST)


def test_a_completion_still_starts_from_our_digest() -> None:
    """A calendar may lie about a block, which headers show; it cannot make the proof be for something else."""
    commitment = hashlib.sha256(DIGEST).digest()
    for client in calendar_at(
        lambda url: (
            lambda r: Answer(200, serialized(promise(url)) if r.method == "POST" else lie(Timestamp(commitment), 7))
        )
    ):
        completed = client.upgrade(client.submit(DIGEST), DIGEST)
    assert completed is not None
    found = read_ots(completed[1], DIGEST)
    assert found == (7, commitment)
    assert write_detached(promise("https://a.example")) != completed[1]


def test_the_stand_in_calendar_refuses_what_is_no_digest(calendar: Calendar) -> None:
    assert calendar(Request("POST", "/digest", "", b"")).status == 400
    assert calendar(Request("POST", "/digest", "", b"x" * 65)).status == 400
    assert calendar(Request("GET", f"/timestamp/{'00' * 32}", "", b"")).body == b"Not found\n"
    assert calendar(Request("GET", "/elsewhere", "", b"")).status == 404
