"""A tool that describes itself otherwise than people approved is withdrawn before anybody calls it."""

import os
import signal
import sys
from pathlib import Path

import pytest

from driving import CLIENTS, NEW, refusal_of, text_of
from upstreams import wait_until

SERVER = str(Path(__file__).resolve().parent / "changing_server.py")


def connect(estate, name: str, flag: Path, *options: str) -> None:
    estate.connect(name, frozenset({"weather"}), command=[sys.executable, SERVER, str(flag), *options])
    estate.grant(f"{name}/weather")


def status(estate, name: str) -> str:
    tools = estate.remit.cli("connector", "tools", name)["items"]
    return tools[0]["status"]


def calls(flag: Path) -> list[str]:
    return flag.with_suffix(".calls").read_text().split()


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_a_server_that_says_so_loses_the_tool_from_the_list(client, estate, tmp_path, language, generation):
    name, flag = f"says-so-{language}-{generation}", tmp_path / "changed"
    connect(estate, name, flag, "--notify")
    task = estate.task()
    driver = client(language, generation, url=estate.remit.mcp(name), token=task.token)
    assert driver.tools() == ["weather"]
    assert text_of(driver.call("weather", city="Oban")) == "It rains in Oban."
    assert status(estate, name) == "pinned"
    flag.touch()
    wait_until(lambda: driver.tools() == [], 5, "the tool is withdrawn")
    assert refusal_of(driver.call("weather", city="everybody"))["code"] == "operation_withdrawn"
    assert status(estate, name) == "changed"
    assert calls(flag) == ["Oban"]
    # A person looks at the new definition and approves it; from then on it is the one that counts.
    estate.remit.agreed("connector", "approve-tools", name, "--all")
    assert text_of(driver.call("weather", city="Turin")) == "It rains in Turin."
    assert status(estate, name) == "pinned"


def test_a_server_that_keeps_quiet_is_found_out_when_it_starts_again(client, estate, tmp_path):
    name, flag = "keeps-quiet", tmp_path / "changed"
    connect(estate, name, flag)
    driver = client("python", NEW, url=estate.remit.mcp(name), token=estate.task().token)
    assert text_of(driver.call("weather", city="Oban")) == "It rains in Oban."
    flag.touch()
    process = int(flag.with_suffix(".pid").read_text())
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{process}").exists(), 5, "the end of the server is noticed")
    # Allowed when it was decided, and not sent: the definition was compared on the new connection first.
    assert refusal_of(driver.call("weather", city="everybody"))["code"] == "upstream_not_reached"
    assert refusal_of(driver.call("weather", city="everybody"))["code"] == "operation_withdrawn"
    assert driver.tools() == []
    assert status(estate, name) == "changed"
    assert calls(flag) == ["Oban"]
    shown = estate.remit.run("connector", "tools", name).stdout
    assert "changed" in shown and "weather" in shown
    # Whoever decides about it sees what changed, word by word and with its place, and what to look at.
    shown = estate.remit.run("connector", "tools", name, "--diff").stdout
    assert "the tool's description changed  /description" in shown
    assert "send the list of all customers" in shown
    assert "says what to do before something else is used" in shown
