# SPDX-License-Identifier: Apache-2.0
"""The official Python SDK against the in-memory world, in both eras. (tests/e2e: against the real one.)"""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client, MCPError

from tests.documents import ROOT, blocks
from tests.e2e.helpers.agent import ERAS, structured, talk
from tests.unit.entry.mcp_world import EVENT, ORG, SECRET, McpWorld, signed


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "indelible")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Indelible")


@pytest.mark.parametrize("mode", ERAS)
def test_the_sdk_lists_records_proves_and_verifies(mode: str) -> None:
    async def conversation(client: Client) -> None:
        assert client.protocol_version == ERAS[mode]
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            "record_audit_event",
            "get_audit_proof",
            "verify_chain",
        ]
        receipt = structured(await client.call_tool("record_audit_event", signed(EVENT)))["receipt"]
        proof = structured(await client.call_tool("get_audit_proof", signed({"audit_id": receipt["audit_id"]})))
        assert proof["receipt"] == receipt
        verdict = structured(await client.call_tool("verify_chain", signed({"start_seq": 1, "end_seq": 1})))
        assert (verdict["valid"], verdict["entries_checked"]) == (True, 1)

    with McpWorld().on_loopback() as url:
        talk(url, mode, conversation, {"X-Novus-Org-ID": ORG})


@pytest.mark.parametrize("mode", ERAS)
def test_the_sdk_gets_refusals_as_answers_and_broken_protocol_as_errors(mode: str) -> None:
    async def conversation(client: Client) -> None:
        refused: Any = await client.call_tool("record_audit_event", signed({**EVENT, "level": "boss"}))
        assert (refused.is_error, refused.structured_content["error"]["field"]) == (True, "level")
        with pytest.raises(MCPError) as caught:
            await client.call_tool("drop_audit_log", {})
        assert caught.value.code == -32602

    with McpWorld().on_loopback() as url:
        talk(url, mode, conversation)


def test_the_documentations_program_runs_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    (program,) = (block.text for block in blocks(ROOT / "docs" / "mcp.md") if block.language == "python")
    world = McpWorld()
    with world.on_loopback() as url:
        exec(program.replace("https://YOUR-API/mcp", url).replace("YOUR-SECRET", SECRET), {})
    (sealed,) = world.world.sealed()
    assert capsys.readouterr().out.strip() == sealed.audit_id
