"""The test equipment itself: every client works against the servers of others with nothing in between."""

import pytest

import upstreams
from driving import CLIENTS, OLD

# `auto` finds out that the server speaks nothing newer.
OLD_ONLY = [("python", "auto"), ("python", OLD), ("typescript", "auto"), ("typescript", OLD)]


@pytest.mark.parametrize(("language", "generation"), OLD_ONLY)
def test_everything_over_http(client, everything_url, language, generation):
    driver = client(language, generation, url=everything_url)
    assert driver.opening == {"protocol": OLD, "server": "mcp-servers/everything"}
    assert {"echo", "get-sum"} <= set(driver.tools())
    said = driver.call("echo", message="grün")
    assert (said["is_error"], said["result"]["content"][0]["text"]) == (False, "Echo: grün")
    slow = {"call": "trigger-long-running-operation", "arguments": {"duration": 0.4, "steps": 2}, "progress": True}
    assert [event["progress"] for event in driver.step(slow)["progress"]] == [1, 2]
    late = {"call": "trigger-long-running-operation", "arguments": {"duration": 3, "steps": 1}, "timeout_seconds": 0.3}
    assert "timed out" in driver.step(late)["error"]["message"].lower()


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_helpdesk_over_standard_streams(client, language, generation):
    driver = client(language, generation, command=upstreams.helpdesk("desk").command)
    assert driver.opening == {"protocol": generation, "server": "helpdesk"}
    found = driver.call("find_customer", query="ada")
    assert [one["customer_id"] for one in found["result"]["structuredContent"]["customers"]] == ["C-1001"]
    refused = driver.call("refund_order", order_id="O-5004", amount_cents=9_999, reason="frayed")
    assert refused["is_error"] is True
