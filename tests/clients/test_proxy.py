"""Clients that only start processes, through `remit proxy`, with the settings that `remit connect` prints."""

import json

import pytest

from driving import CLIENTS, refusal_of, text_of
from service import program


def settings(remit, *options):
    """The command that a client would start, out of the settings that are printed for it."""
    printed = remit.cli("connect", "--mcp-url", remit.mcp("desk"), *options)["items"]
    (one,) = printed
    (server,) = json.loads(one["text"])["mcpServers"].values()
    return [server["command"], *server["args"]]


@pytest.fixture(params=CLIENTS, ids=lambda param: "-".join(param))
def through(request, client):
    """Starts a command as one client starts a server."""
    language, generation = request.param

    def connect(command):
        driver = client(language, generation, command=command)
        assert driver.opening.get("protocol") == generation, driver.opening
        return driver

    return connect


def test_a_client_with_a_token_file(estate, through, tmp_path):
    task = estate.task("through a proxy")
    token = tmp_path / "token"
    token.write_text(task.token)
    driver = through(settings(estate.remit, "--client", "generic", "--token-file", str(token)))
    assert "find_customer" in driver.tools()
    assert "Ada" in text_of(driver.call("find_customer", query="ada"))
    refusal_of(driver.call("close_account", customer_id="C-1002"))
    # The program is asked again for every request, so a task that ends is seen at once.
    estate.end(task)
    ended = driver.call("find_customer", query="ada")
    assert "result" not in ended or ended["is_error"], ended


def test_a_client_whose_sessions_are_tasks(estate, through):
    remit = estate.remit
    purpose = "a session in a client"
    command = settings(remit, "--client", "claude-desktop", "--agent", "support", "--for", "carla", "--purpose", purpose)
    assert command[0] == str(program())
    driver = through(command)
    assert "Ada" in text_of(driver.call("find_customer", query="ada"))
    driver.close()
    of_client = [task for task in remit.cli("task", "list")["items"] if task["purpose"] == purpose]
    assert all(task["status"] == "ended" for task in of_client), of_client


def test_several_calls_are_under_way_and_one_is_given_up(estate, through, tmp_path):
    token = tmp_path / "token"
    token.write_text(estate.task("several at a time").token)
    driver = through(settings(estate.remit, "--client", "generic", "--token-file", str(token)))
    asked = {"order_id": "O-5011", "amount_cents": 5_002, "reason": f"given up through a proxy: {tmp_path.name}"}
    given_up = driver.step({"call": "refund_order", "arguments": asked, "timeout_seconds": 1})
    assert "error" in given_up, given_up
    assert "Ada" in text_of(driver.call("find_customer", query="ada"))


def test_settings_hold_no_token_and_every_client_has_some(estate):
    printed = estate.remit.cli("connect", "--mcp-url", estate.remit.mcp())["items"]
    assert len(printed) == 8
    for one in printed:
        assert "REMIT_TASK_TOKEN" in one["text"] + one["note"] or "input:" in one["text"], one
        assert "eyJ" not in one["text"], one
