# SPDX-License-Identifier: Apache-2.0
"""What is a message, what is not, and which faults are the caller's input rather than a broken protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indelible.entry import jsonrpc
from indelible.entry.jsonrpc import RpcError

CALL = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "verify_chain", "arguments": {}}}


def refused(data: bytes) -> RpcError:
    with pytest.raises(RpcError) as caught:
        jsonrpc.parse(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"hello", -32700),
        (b'"text"', -32600),
        (b"\xff\xfe", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping"} {}', -32700),
        (b"[]", -32600),
        (b' \n[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', -32600),
        (b"[" * 100_000, -32600),
        (b'{"a":' * 100_000, -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": {"a": 1, "a": 2}}}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"a": 9007199254740992}}', -32600),
    ],
)
def test_what_is_no_message(data: bytes, code: int) -> None:
    error = refused(data)
    assert (error.code, error.status) == (code, 400)


@pytest.mark.parametrize(
    ("change", "code", "answered"),
    [
        ({"jsonrpc": "1.0"}, -32600, 7),
        ({"jsonrpc": None}, -32600, 7),
        ({"id": None}, -32600, None),
        ({"id": True}, -32600, None),
        ({"id": 1.5}, -32600, None),
        ({"id": [1]}, -32600, None),
        ({"method": None}, -32600, 7),
        ({"method": 5}, -32600, 7),
        ({"params": []}, -32602, 7),
        ({"params": None}, -32602, 7),
        ({"params": {"_meta": "text"}}, -32602, 7),
    ],
)
def test_what_is_no_request_is_answered_under_its_id_where_that_can_be_read(
    change: dict[str, Any], code: int, answered: object
) -> None:
    error = refused(json.dumps(CALL | change).encode())
    assert (error.code, error.request_id) == (code, answered)
    assert json.loads(jsonrpc.encode_error(error)).get("id") == answered


def test_a_response_is_not_expected() -> None:
    assert refused(b'{"jsonrpc": "2.0", "id": 1, "result": {}}').code == -32600


def test_a_call_without_an_id_is_refused_for_it_would_record_without_a_receipt() -> None:
    call = {name: value for name, value in CALL.items() if name != "id"}
    assert refused(json.dumps(call).encode()).code == -32600


@pytest.mark.parametrize("request_id", [0, "", "a", -3, 9007199254740991])
def test_an_id_comes_back_as_it_was(request_id: object) -> None:
    message = jsonrpc.parse(json.dumps(CALL | {"id": request_id}).encode())
    assert message.id == request_id
    assert json.loads(jsonrpc.encode_result(message.id, {}))["id"] == request_id
    assert json.loads(jsonrpc.encode_error(RpcError(-32601, "no"), message.id))["id"] == request_id


def test_a_notification_has_no_id() -> None:
    assert jsonrpc.parse(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}').id is None


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ('{"payload": {"x": 1, "x": 2}}', "DUPLICATE_KEY", "payload.x"),
        ('{"payload": {"x": 9007199254740992}}', "INVALID_NUMBER", "payload.x"),
        ('{"payload": {"x": 1e400}}', "INVALID_NUMBER", "payload.x"),
        ('{"payload": {"x": NaN}}', "INVALID_NUMBER", "payload.x"),
        ('{"payload": ["\\ud800"]}', "INVALID_STRING", "payload[0]"),
        ('{"payload": ' + '{"a":' * 40 + "1" + "}" * 40 + "}", "NESTING_TOO_DEEP", "payload" + ".a" * 31),
        ("[9007199254740992]", "INVALID_NUMBER", "[0]"),
    ],
)
def test_a_fault_in_the_arguments_stays_with_the_call(arguments: str, code: str, field: str) -> None:
    body = '{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "x", "_meta": {"a": 1}, "arguments":'
    message = jsonrpc.parse(f"{body} {arguments}}}}}".encode())
    assert message.fault is not None
    assert (message.id, message.params["name"], message.meta) == (7, "x", {"a": 1})
    assert (message.fault.code, message.fault.field) == (code, field)


@pytest.mark.parametrize(
    "body",
    [
        '{"jsonrpc": "2.0", "id": 1.5, "method": "tools/call", "params": {"arguments": {"x": 1e400}}}',
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"arguments": {"x": 1e400}}}',
        '{"jsonrpc": "2.0", "method": "tools/call", "params": {"arguments": {"x": 1e400}}}',
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"arguments": {}, "arguments": {}}}',
        '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params.arguments.x": 1e400}',
        '{"id": "\\ud800", "jsonrpc": "2.0", "method": "tools/call", "params": {"arguments": {"x": 1e400}}}',
        '{"id": 1' + "0" * 5000 + ', "jsonrpc": "2.0", "method": "tools/call", "params": {"arguments": {"x": 1e400}}}',
    ],
)
def test_a_fault_elsewhere_or_in_no_call_is_a_protocol_error(body: str) -> None:
    assert refused(body.encode()).code == -32600


def test_a_protocol_error_for_a_fault_says_which() -> None:
    error = refused(b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"x": 1e400}}')
    told = json.loads(jsonrpc.encode_error(error))["error"]["data"]["error"]
    assert (told["code"], told["field"], told["retryable"]) == ("INVALID_NUMBER", "params.x", False)
