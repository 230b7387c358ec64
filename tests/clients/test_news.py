"""Who hears that a list has changed: whoever it concerns, and nobody else."""

import pytest

from driving import CLIENTS, NEW, OLD, Driver
from test_changed import connect
from upstreams import wait_until

CHANGED = "notifications/tools/list_changed"
HEAR_SECONDS_MAX = 15
SILENCE_SECONDS = 1
AT = pytest.mark.parametrize(("language", "generation"), CLIENTS)


def listening(client, estate, agent: str, language: str, generation: str, connector: str | None) -> Driver:
    """A client of `agent` that wants to hear of tools, and has heard nothing yet."""
    task = estate.task("listens", agent=agent)
    driver = client(language, generation, url=estate.remit.mcp(connector), token=task.token)
    if generation == NEW:
        assert driver.step({"listen": {"tools": True}})["listening"]["toolsListChanged"] is True
    # Before that, a client opens its stream by itself, some time after it is connected.
    driver.step({"sleep_seconds": 1 if generation == OLD else 0})
    driver.step({"hear": "nothing", "seconds": 0})
    return driver


def hears(driver: Driver) -> bool:
    said = driver.step({"hear": CHANGED, "seconds": HEAR_SECONDS_MAX})["heard"]
    return any(one["method"] == CHANGED for one in said)


def is_silent(driver: Driver) -> bool:
    return driver.step({"hear": CHANGED, "seconds": SILENCE_SECONDS})["heard"] == []


@pytest.fixture(scope="module")
def neighbour(estate):
    """Another agent, with a grant for something else."""
    estate.register("neighbour")
    estate.grant("desk/find_customer", agent="neighbour")
    return "neighbour"


@AT
def test_a_grant_that_is_revoked_concerns_its_agent(client, estate, neighbour, language, generation):
    grant = estate.grant("git/git_status", agent=neighbour)
    concerned = listening(client, estate, neighbour, language, generation, "git")
    joined = listening(client, estate, neighbour, language, generation, None)
    other = listening(client, estate, "support", language, generation, "git")
    assert concerned.tools() == ["git_status"]
    estate.remit.cli("grant", "revoke", grant, "--reason", "no longer needed")
    assert hears(concerned) and hears(joined)
    assert concerned.tools() == [] and joined.tools() == ["desk__find_customer", "remit__request_access"]
    assert is_silent(other)
    assert "git_status" in other.tools()


@AT
def test_a_tool_that_is_withdrawn_concerns_who_may_use_it(client, estate, neighbour, tmp_path, language, generation):
    name, flag = f"moody-{language}-{generation}", tmp_path / "changed"
    connect(estate, name, flag, "--notify")
    concerned = listening(client, estate, "support", language, generation, name)
    elsewhere = listening(client, estate, "support", language, generation, "git")
    other = listening(client, estate, neighbour, language, generation, None)
    # The server is started by whoever asks first.
    assert concerned.call("weather", city="Oban")["is_error"] is False
    flag.touch()
    assert hears(concerned)
    wait_until(lambda: concerned.tools() == [], HEAR_SECONDS_MAX, "the tool is withdrawn")
    assert is_silent(elsewhere) and is_silent(other)
    concerned.step({"hear": "nothing", "seconds": SILENCE_SECONDS})
    estate.remit.agreed("connector", "approve-tools", name, "--tool", "weather")
    assert hears(concerned)
    assert concerned.tools() == ["weather"]
    assert is_silent(elsewhere) and is_silent(other)
