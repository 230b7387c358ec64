"""Credentials in several hands, and identities that say too little: what is refused, what is told, what is written down."""

import base64
import hashlib
import hmac
import sys
import time

import httpx
import pytest

import upstreams
from bridge import harmless
from conftest import HOLD_SECONDS, running
from driving import CLIENTS, refusal_of
from estate import Estate
from keys import Agent, base64url, claims_of, decoded, header_of
from mtls import tool_call
from oauth import Server, call, done, refusal
from workloads import Workload, local, node

ORDER = {"order_id": "O-5007"}
SECONDS_MAX = 10
PROFILE = ["--owner", "ana", "--approver", "ben", "--purpose", "answers", "--review-in", "90d"]


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    with running(tmp_path_factory.mktemp("shared"), HOLD_SECONDS, mtls=True) as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk")])
        for name, of, autonomy, data in [("plain", "read", "A1", "D0"), ("grave", "act", "A4", "D1"), ("other", "act", "A3", "D1")]:
            life = ["--class", of, "--autonomy", autonomy, "--data-class", data, "--environment", "production", "--activate"]
            remit.cli("agent", "register", name, *PROFILE, *life)
            estate.grant("desk/show_order", agent=name)
        # The same server as a connector of which nothing is of any class, for agents that may have no more.
        estate.add("open", command=upstreams.helpdesk("open").command)
        remit.agreed("connector", "approve-tools", "open", "--tool", "show_order", *harmless())
        estate.grant("open/show_order", agent="plain")
        # Two programs of this machine: that of the tests, and Node.js.
        local(estate, "other", sys.executable)
        local(estate, "grave", node())
        yield estate


@pytest.fixture(scope="module")
def server(realm):
    return Server(realm.remit)


@pytest.fixture
def run(realm):
    started = []

    def begin(agent: str) -> Workload:
        started.append(Workload.under(realm.remit, "python", agent))
        return started[-1]

    yield begin
    for workload in started:
        workload.close()


def place(realm) -> str:
    return f"{realm.remit.addresses['gateway_mtls']}/mcp/desk"


def code_of(answer: dict) -> str:
    """The code of a refusal, as the workload gives an answer."""
    body = answer["body"]
    found = body.get("result", {}).get("_meta", {}) or body.get("error", {}).get("data", {})
    return found["remit/refusal"]["code"]


def graded(realm, agent: str) -> list[str]:
    """How the calls of an agent are attributed, oldest first."""
    query = ["ledger", "query", "--agent", agent, "--kind", "ActionAllowed"]
    items = upstreams.wait_until(lambda: realm.remit.cli(*query)["items"], SECONDS_MAX, "the calls are found")
    return [item["record"]["event"]["attribution"] for item in reversed(items)]


# Several hands


def test_the_token_of_one_run_on_the_connection_of_another(realm, run):
    """Where a certificate proves who calls, a token of somebody else is refused, and the connection's own one is not."""
    mine, others = run("support"), run("other")
    token = mine.ask({"variable": "REMIT_TASK_TOKEN"})["variable"]
    step = {"tool": place(realm), "call": "show_order", "arguments": ORDER, "token": token}
    assert mine.ask(step)["status"] == 200
    answer = others.ask(step)
    assert answer["status"] in (401, 403), answer
    assert code_of(answer).startswith("credential_shared"), answer


def test_the_svid_of_a_run_is_a_token_too(realm, run):
    """A JWT-SVID for the gateway opens the run's task; it proves less than a certificate, and the record says so."""
    workload = run("support")
    svid = workload.ask({"jwt": realm.remit.mcp()})["token"]
    assert done(call(realm.remit.mcp("desk"), svid, "show_order", ORDER))
    for audience in ("https://elsewhere.example", realm.remit.control):
        wrong = workload.ask({"jwt": audience})["token"]
        assert call(realm.remit.mcp("desk"), wrong, "show_order", ORDER).status_code == 401
    realm.remit.cli("task", "end", claims_of(workload.ask({"variable": "REMIT_TASK_TOKEN"})["variable"])["task"])
    assert not done(call(realm.remit.mcp("desk"), svid, "show_order", ORDER))


# Legacy accounts


@pytest.mark.parametrize(("language", "generation"), CLIENTS)
def test_workflows_behind_one_account_are_told_apart(client, realm, language, generation):
    """By the address that each of them calls. Every record says that it is only their word."""
    name = f"crm-{language}-{generation}"
    arguments = ["--workflow", "mail=plain", "--due-in", "30d", "--reason", "moves in May"]
    account = realm.remit.cli("legacy", "open", name, *arguments)
    gateway = realm.remit.addresses["gateway"]
    driver = client(language, generation, url=f"{gateway}/legacy/{name}/mail/mcp/open", token=account["secret"])
    assert driver.tools() == ["show_order"]
    assert driver.call("show_order", **ORDER)["is_error"] is False
    assert set(graded(realm, "plain")) == {"shared"}
    # Nowhere else, under no other name, and not after its end.
    assert call(realm.remit.mcp("open"), account["secret"], "show_order", ORDER).status_code in (401, 403)
    for elsewhere in (f"{gateway}/legacy/{name}/import/mcp/open", f"{gateway}/legacy/nothing/mail/mcp/open"):
        assert call(elsewhere, account["secret"], "show_order", ORDER).status_code in (401, 403)
    listed = realm.remit.cli("legacy", "list")["items"]
    assert any(one["name"] == name for one in listed), listed
    realm.remit.cli("legacy", "close", name, "--reason", "moved")
    assert driver.call("show_order", **ORDER).get("is_error") is not False


def test_workflows_that_sign_their_name(realm):
    arguments = ["--workflow", "mail=plain", "--header-key", "--due-in", "30d", "--reason", "moves in May"]
    account = realm.remit.cli("legacy", "open", "signed", *arguments)
    url, secret = realm.remit.mcp("open"), account["secret"]

    def asks(key: bytes, workflow: str = "mail", at: int | None = None) -> httpx.Response:
        body, headers = tool_call("show_order", ORDER)
        said = f"{workflow};{int(time.time()) if at is None else at}"
        signature = base64url(hmac.digest(key, said.encode(), hashlib.sha256))
        headers |= {"authorization": f"Bearer {secret}", "remit-workflow": f"{said};{signature}"}
        return httpx.post(url, json=body, headers=headers)

    key = decoded(account["header_secret"])
    assert done(asks(key))
    assert asks(b"another key" * 3).status_code in (401, 403)
    assert asks(key, "import").status_code in (401, 403)
    assert asks(key, at=int(time.time()) - 3_600).status_code in (401, 403)
    assert call(url, secret, "show_order", ORDER).status_code in (401, 403)


def test_a_grave_agent_is_no_workflow_of_an_account(realm):
    with pytest.raises(Exception) as refused:
        realm.remit.cli("legacy", "open", "too-much", "--workflow", "w=grave", "--due-in", "30d", "--reason", "r")
    assert refused.value.code == "identity_too_coarse"


# Identities that say too little


def test_an_agent_without_a_run_is_enough_for_some(realm):
    """The certificate of an agent tells agents apart, and not what they work on: enough for some, too little for others."""
    workload = Workload(realm.remit, "python")
    try:
        svid = workload.ask({"x509": {}})["svids"][0]["spiffe_id"]
        assert svid.endswith("/agent/other/production"), svid
        answer = workload.ask({"tool": place(realm), "call": "show_order", "arguments": ORDER})
        assert answer["status"] == 200 and answer["body"]["result"].get("isError") is not True, answer
    finally:
        workload.close()
    workload = Workload(realm.remit, "node")
    try:
        svid = workload.ask({"jwt": realm.remit.mcp()})
        assert svid["spiffe_id"].endswith("/agent/grave/production")
        answer = call(realm.remit.mcp("desk"), svid["token"], "show_order", ORDER)
        assert answer.status_code in (401, 403) and refusal(answer) == "identity_too_coarse", answer.text
    finally:
        workload.close()
    # A run of the same agent is enough.
    run = Workload.under(realm.remit, "python", "grave")
    try:
        assert run.ask({"tool": place(realm), "call": "show_order", "arguments": ORDER})["status"] == 200
    finally:
        run.close()


def test_a_token_bound_to_a_certificate_needs_it(realm, server, run):
    """A certificate is who the client is (RFC 8705), and its token is for that certificate alone."""
    endpoint = server.metadata["mtls_endpoint_aliases"]["token_endpoint"]
    assert endpoint.startswith(realm.remit.addresses["control_mtls"])
    workload = Workload(realm.remit, "python")
    try:
        svid = workload.ask({"x509": {}})["svids"][0]
        form = {"grant_type": "client_credentials", "client_id": svid["spiffe_id"]}
        answer = workload.ask({"form": form, "at": endpoint})
        assert answer["status"] == 200, answer
        token = answer["body"]["access_token"]
        thumbprint = base64url(hashlib.sha256(base64.b64decode(svid["chain"][0])).digest())
        assert server.verified(token)["cnf"] == {"x5t#S256": thumbprint}
        step = {"tool": place(realm), "call": "show_order", "arguments": ORDER, "token": token}
        assert workload.ask(step)["status"] == 200
        upstreams.wait_until(lambda: graded(realm, "other")[-1] == "proven", SECONDS_MAX, "what is proven is on record")
        # On the connection of somebody else, and without any certificate.
        assert run("support").ask(step)["status"] == 401
        assert call(realm.remit.mcp("desk"), token, "show_order", ORDER).status_code == 401
        for client in ("spiffe://remit.local/agent/support/production", "https://elsewhere.example/client.json"):
            assert workload.ask({"form": form | {"client_id": client}, "at": endpoint})["body"]["error"] == "invalid_client"
    finally:
        workload.close()


def test_nothing_of_another_environment_is_let_into_production(tmp_path_factory):
    with running(tmp_path_factory.mktemp("production"), HOLD_SECONDS, realm="production = true") as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk")])
        life = ["--class", "act", "--autonomy", "A3", "--data-class", "D1", "--environment", "development", "--activate"]
        remit.cli("agent", "register", "tried-out", *PROFILE, *life)
        estate.grant("desk/show_order", agent="tried-out")
        task = remit.cli("task", "start", "tried-out", "--purpose", "tries", by="ana")
        answer = call(remit.mcp("desk"), task["token"], "show_order", ORDER)
        assert answer.status_code in (401, 403) and refusal(answer) == "token_environment", answer.text
        assert done(call(remit.mcp("desk"), estate.task().token, "show_order", ORDER))


# Keys of the realm


def test_a_revoked_key_takes_what_it_signed_with_it(realm, server, tmp_path):
    """Tokens under it are refused at once; what is signed from then on is not."""
    agent = Agent(realm.remit, "support")
    grant = lambda: server.granted(None, **agent.assertion(), grant_type="client_credentials")["access_token"]
    old, url = grant(), realm.remit.mcp("desk")
    realm.remit.cli("key", "rotate")
    between = grant()
    assert header_of(between)["kid"] != header_of(old)["kid"]
    assert done(call(url, old, "show_order", ORDER)) and done(call(url, between, "show_order", ORDER))
    file = tmp_path / "receipt.jwt"
    realm.remit.cli("key", "revoke", header_of(old)["kid"], "--receipt", str(file))
    assert call(url, old, "show_order", ORDER).status_code == 401
    assert done(call(url, between, "show_order", ORDER))
    assert header_of(old)["kid"] not in {key["kid"] for key in httpx.get(server.metadata["jwks_uri"]).json()["keys"]}
    assert server.post("introspection", **agent.assertion(), token=old).json() == {"active": False}
    assert server.verified(file.read_text().strip(), "remit-receipt+jwt")
    # The key that signs now, too: another takes its place at once.
    realm.remit.cli("key", "revoke", header_of(between)["kid"])
    assert call(url, between, "show_order", ORDER).status_code == 401
    assert done(call(url, grant(), "show_order", ORDER))


def test_calls_go_on_while_keys_are_rotated(realm, client):
    """Clients that are connected, and tokens that were given before, do not notice."""
    task = realm.task("goes on")
    driver = client(*CLIENTS[0], url=realm.remit.mcp("desk"), token=task.token)
    for _ in range(3):
        assert driver.call("show_order", **ORDER)["is_error"] is False
        realm.remit.cli("key", "rotate")
    assert driver.call("show_order", **ORDER)["is_error"] is False
    assert refusal_of(driver.call("close_account", customer_id="C-1002"))["code"] == "denied_by_policy"
