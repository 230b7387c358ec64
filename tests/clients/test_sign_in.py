"""Stock MCP clients that are given the gateway's address and nothing else: from 401 to a tool call, through a person's consent."""

import json
import os

import pytest

import oauth
import upstreams
from browser import Consent, query_of, signed_in
from conftest import HOLD_SECONDS, running
from driving import CLIENTS, Driver, refusal_of, text_of
from estate import Estate
from oauth import REDIRECT

WITH_EACH = pytest.mark.parametrize(("language", "generation"), CLIENTS)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with oauth.site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def realm(tmp_path_factory, site):
    """Clients show where they say what they are; none registers itself."""
    with running(tmp_path_factory.mktemp("sign-in"), HOLD_SECONDS, more=site.configuration) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


@pytest.fixture(scope="module")
def open_realm(tmp_path_factory):
    """Clients register themselves, and their documents are not fetched from this machine."""
    with running(tmp_path_factory.mktemp("open"), HOLD_SECONDS, more="[oauth]\ndynamic_registration = true\n") as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


@pytest.fixture(scope="module")
def secure_realm(tmp_path_factory, site):
    """As it is for others than this machine: everything over https."""
    tls = (*site.authority.issue("remit.localhost"), site.roots)
    with running(tmp_path_factory.mktemp("secure"), HOLD_SECONDS, more=site.configuration, tls=tls) as remit:
        yield Estate(remit, [upstreams.helpdesk("desk")])


def led(client, realm, language: str, generation: str, document: str | None, connector: str | None = "desk") -> tuple[Driver, str]:
    """A client that wants its person to sign in, and where."""
    options = ["--sign-in", REDIRECT, *(["--client-metadata", document] if document else [])]
    place = {"url": realm.remit.mcp(connector), "environment": os.environ | realm.remit.trusting}
    driver = client(language, generation, *options, **place)
    assert "authorize" in driver.opening, driver.opening
    return driver, driver.opening["authorize"]


def tools_of(realm) -> set[str]:
    return set(realm.upstreams["desk"].granted)


def works(driver: Driver, realm) -> None:
    """The client sees what its agent may use, uses it, and is refused what its agent may not use."""
    assert set(driver.tools()) == tools_of(realm)
    assert "Ada" in text_of(driver.call("find_customer", query="ada"))
    assert refusal_of(driver.call("close_account", customer_id="C-1002"))["code"] == "denied_by_policy"


@WITH_EACH
def test_from_the_address_alone_to_a_tool_call(client, realm, site, language, generation):
    document = site.client(client_name=f"The {language} client")
    driver, authorize = led(client, realm, language, generation, document)
    asked = query_of(authorize)
    assert (asked["client_id"], asked["resource"], asked["code_challenge_method"]) == (document, realm.remit.mcp("desk"), "S256")
    consent = Consent(realm, authorize, "ana")
    assert f"The {language} client" in consent.page.text
    driver.send({"callback": consent.allow("support", "signs in by itself")})
    opened = driver.read()
    assert opened.get("protocol") == generation, opened
    works(driver, realm)
    # The record says for whom, and through which client.
    tasks = realm.remit.cli("task", "list")["items"]
    ours = [task for task in tasks if task["purpose"] == "signs in by itself" and document in json.dumps(task)]
    assert len(ours) == 1 and ours[0]["acting_for"]["name"] == "ana", tasks


@WITH_EACH
def test_from_the_address_alone_over_https(client, secure_realm, site, language, generation):
    realm = secure_realm
    assert realm.remit.mcp().startswith("https://") and realm.remit.control.startswith("https://")
    driver, authorize = led(client, realm, language, generation, site.client())
    driver.send({"callback": Consent(realm, authorize, "ana").allow("support")})
    opened = driver.read()
    assert opened.get("protocol") == generation, opened
    works(driver, realm)


@WITH_EACH
def test_at_the_joined_address(client, realm, site, language, generation):
    driver, authorize = led(client, realm, language, generation, site.client(), connector=None)
    driver.send({"callback": Consent(realm, authorize, "ana").allow("support")})
    assert driver.read().get("protocol") == generation
    assert set(driver.tools()) == {f"desk__{tool}" for tool in tools_of(realm)} | {"remit__request_access"}
    assert "Ada" in text_of(driver.call("desk__find_customer", query="ada"))


@WITH_EACH
def test_a_person_who_says_no(client, realm, site, language, generation):
    driver, authorize = led(client, realm, language, generation, site.client())
    driver.send({"callback": Consent(realm, authorize, "ana").deny()})
    assert "access_denied" in driver.read()["connect_error"]["message"]


@WITH_EACH
def test_an_answer_of_another_server_is_not_taken(client, realm, site, language, generation):
    """A mix-up (RFC 9207): the SDKs that look at `iss` refuse; those that do not, get nothing for the wrong code."""
    driver, authorize = led(client, realm, language, generation, site.client())
    asked = query_of(authorize)
    driver.send({"callback": f"{REDIRECT}?code=stolen&state={asked['state']}&iss=https%3A%2F%2Felsewhere.example"})
    assert "connect_error" in driver.read()


@WITH_EACH
def test_what_is_taken_back_is_gone_at_once(client, realm, site, language, generation):
    driver, authorize = led(client, realm, language, generation, site.client())
    driver.send({"callback": Consent(realm, authorize, "ana").allow("support", f"taken back from {language} {generation}")})
    assert driver.read().get("protocol") == generation
    assert "Ada" in text_of(driver.call("find_customer", query="ada"))
    tasks = realm.remit.cli("task", "list")["items"]
    task = next(task for task in tasks if task["purpose"] == f"taken back from {language} {generation}")
    realm.remit.cli("task", "end", task["id"], "--note", "taken back", by="ana")
    said = driver.call("find_customer", query="ada")
    assert "has ended" in json.dumps(said) or "task_ended" in json.dumps(said) or "authorize" in said, said


@WITH_EACH
def test_a_client_that_registers_itself(client, open_realm, language, generation):
    driver, authorize = led(client, open_realm, language, generation, None)
    assert query_of(authorize)["client_id"].startswith("dyn_")
    driver.send({"callback": Consent(open_realm, authorize, "ana").allow("support")})
    opened = driver.read()
    assert opened.get("protocol") == generation, opened
    works(driver, open_realm)


@WITH_EACH
def test_nobody_registers_where_nobody_allowed_it(client, realm, language, generation):
    driver = client(language, generation, "--sign-in", REDIRECT, url=realm.remit.mcp("desk"))
    assert "connect_error" in driver.opening, driver.opening


def test_a_document_on_this_machine_is_not_fetched_unless_allowed(client, open_realm, site):
    """Remit's own network is not for clients to look around in."""
    path = "/clients/inside.json"
    document = site.client(path=path)
    heard = len(site.web.requests(path))
    _, authorize = led(client, open_realm, "python", "2025-11-25", document)
    answer = signed_in(open_realm, "ana").get(authorize)
    assert 400 <= answer.status_code < 500 and "location" not in answer.headers
    assert len(site.web.requests(path)) == heard
