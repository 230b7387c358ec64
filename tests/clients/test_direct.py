"""The test equipment itself: every client works against every upstream before Remit stands between them."""

import pytest

from conftest import REMIT_BIN

BOTH = [("python", "2026-07-28"), ("python", "2025-11-25"), ("typescript", "2026-07-28"), ("typescript", "2025-11-25")]
OLD_ONLY = [("python", "auto"), ("python", "2025-11-25"), ("typescript", "auto"), ("typescript", "2025-11-25")]


@pytest.fixture
def helpdesk() -> list[str]:
    if not REMIT_BIN.exists():
        pytest.skip(f"`{REMIT_BIN}` is not built")
    return [str(REMIT_BIN), "sample", "helpdesk"]


@pytest.mark.parametrize(("language", "generation"), OLD_ONLY)
def test_everything_over_http(client, everything, language, generation):
    driver = client(language, generation, url=everything)
    assert driver.opening == {"protocol": "2025-11-25", "server": "mcp-servers/everything"}
    assert {"echo", "get-sum"} <= set(driver.tools())
    said = driver.call("echo", message="grün")
    assert said["is_error"] is False
    assert said["result"]["content"][0]["text"] == "Echo: grün"


@pytest.mark.parametrize(("language", "generation"), OLD_ONLY)
def test_progress_reaches_the_client(client, everything, language, generation):
    driver = client(language, generation, url=everything)
    slow = {"call": "trigger-long-running-operation", "arguments": {"duration": 1, "steps": 2}, "progress": True}
    said = driver.step(slow)
    assert [event["progress"] for event in said["progress"]] == [1, 2]


@pytest.mark.parametrize(("language", "generation"), OLD_ONLY)
def test_a_call_that_takes_too_long_is_given_up(client, everything, language, generation):
    driver = client(language, generation, url=everything)
    slow = {"call": "trigger-long-running-operation", "arguments": {"duration": 3, "steps": 1}, "timeout_seconds": 0.5}
    assert "timed out" in driver.step(slow)["error"]["message"].lower()
    assert driver.call("echo", message="still here")["is_error"] is False


@pytest.mark.parametrize(("language", "generation"), OLD_ONLY)
def test_filesystem_over_standard_streams(client, filesystem, language, generation):
    driver = client(language, generation, command=filesystem)
    said = driver.call("read_text_file", path=f"{filesystem[-1]}/note.txt")
    assert said["result"]["content"][0]["text"] == "the note\n"


@pytest.mark.parametrize(("language", "generation"), BOTH)
def test_git_over_standard_streams(client, git, language, generation):
    driver = client(language, generation, command=git)
    assert driver.opening == {"protocol": generation, "server": "mcp-git"}
    assert "nothing to commit" in driver.call("git_status", repo_path=git[-1])["result"]["content"][0]["text"]


@pytest.mark.parametrize(("language", "generation"), BOTH)
def test_helpdesk_over_standard_streams(client, helpdesk, language, generation):
    driver = client(language, generation, command=helpdesk)
    assert driver.opening["server"] == "helpdesk"
    found = driver.call("find_customer", query="ada")
    assert [one["customer_id"] for one in found["result"]["structuredContent"]["customers"]] == ["C-1001"]
    refused = driver.call("refund_order", order_id="O-5004", amount_cents=9_999, reason="frayed")
    assert refused["is_error"] is True
