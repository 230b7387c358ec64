"""Workloads with SPIFFE clients of others: who gets which identity, what it is good for, and when it ends."""

import re
import time

import httpx
import pytest
from cryptography import x509
from joserfc import jwt
from joserfc.jwk import ECKey

import mtls
import upstreams
from conftest import HOLD_SECONDS, running
from estate import Estate
from keys import claims_of, header_of
from workloads import LANGUAGES, Workload, certificate, check_chain, check_leaf

AUDIENCE = "https://elsewhere.example"
HEAR_SECONDS_MAX = 10
IN_EACH = pytest.mark.parametrize("language", LANGUAGES)


@pytest.fixture(scope="module")
def realm(tmp_path_factory):
    """Its socket lies deep in the file system, where some clients make an address of the path that others refuse."""
    with running(tmp_path_factory.mktemp("nested") / "deeper" / "still", HOLD_SECONDS, mtls=True) as remit:
        estate = Estate(remit, [upstreams.helpdesk("desk")])
        estate.register("research")
        estate.grant("desk/find_customer", agent="research")
        yield estate


@pytest.fixture
def run(realm):
    """Starts runs of agents, and ends them."""
    started = []

    def begin(language: str, agent: str = "support", before: list[str] | None = None) -> Workload:
        started.append(Workload.under(realm.remit, language, agent, before))
        return started[-1]

    yield begin
    for workload in started:
        workload.close()


def domain(realm) -> str:
    return realm.remit.cli("agent", "show", "support")["spiffe_id"].split("/")[2]


def task_of(realm, workload: Workload) -> str:
    """The task of a run, as its token names it."""
    token = workload.ask({"variable": "REMIT_TASK_TOKEN"})["variable"]
    return claims_of(token)["task"]


def bundle(realm) -> dict:
    answer = httpx.get(f"{realm.remit.control}/.well-known/spiffe-bundle")
    assert answer.status_code == 200, answer.text
    return answer.json()


def authorities(realm) -> list[x509.Certificate]:
    """The certificates of the published bundle, each key of which has exactly one and no name."""
    found = [key for key in bundle(realm)["keys"] if key["use"] == "x509-svid"]
    assert all(len(key["x5c"]) == 1 and "kid" not in key for key in found), found
    return [certificate(key["x5c"][0]) for key in found]


@IN_EACH
def test_a_run_has_an_identity_of_its_own(realm, run, language):
    workload = run(language)
    said = workload.ask({"x509": {}})
    assert len(said["svids"]) == 1, said
    of_agent = realm.remit.cli("agent", "show", "support")["spiffe_id"]
    assert re.fullmatch(re.escape(of_agent) + r"/run/run_[0-9a-z]+", said["svids"][0]["spiffe_id"]), said
    leaf = check_leaf(said)
    now = time.time()
    assert leaf.not_valid_before_utc.timestamp() <= now < leaf.not_valid_after_utc.timestamp() <= now + 3_700
    # By what the socket said, and by what is published.
    check_chain(said, [certificate(one) for one in said["bundles"][domain(realm)]])
    check_chain(said, authorities(realm))


@IN_EACH
def test_a_token_for_an_audience(realm, run, language):
    workload = run(language)
    said = workload.ask({"jwt": AUDIENCE})
    token = said["token"]
    assert set(header_of(token)) <= {"alg", "kid", "typ"} and header_of(token)["alg"] == "ES256"
    keys = {key["kid"]: key for key in bundle(realm)["keys"] if key["use"] == "jwt-svid"}
    known = workload.ask({"jwt_bundles": {}})["bundles"]
    assert known == {domain(realm): sorted(keys)}
    signer = {name: value for name, value in keys[header_of(token)["kid"]].items() if name != "use"}
    claims = jwt.decode(token, ECKey.import_key(signer), algorithms=["ES256"]).claims
    assert (claims["sub"], claims["aud"]) == (said["spiffe_id"], [AUDIENCE])
    assert time.time() < claims["exp"] <= time.time() + 3_600
    assert said["spiffe_id"] == workload.ask({"fetch": {}})["svids"][0]["spiffe_id"]
    assert workload.ask({"validate": token, "audience": AUDIENCE})["spiffe_id"] == said["spiffe_id"]
    assert "error" in workload.step({"validate": token, "audience": "https://other.example"})
    broken = token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")
    said = workload.refused({"validate": broken, "audience": AUDIENCE})
    # The Go client finds it out by itself.
    assert "invalidargument" in said or language == "go", said


def test_two_programs_of_one_interpreter_are_two_agents(realm, run):
    support, research, again = run("python"), run("python", "research"), run("python")
    ids = [workload.ask({"fetch": {}})["svids"][0]["spiffe_id"] for workload in (support, research, again)]
    assert [one.split("/agent/")[1].split("/")[0] for one in ids] == ["support", "research", "support"]
    assert len(set(ids)) == 3, ids
    # Each has the run that its task has.
    for workload, one in zip((support, research, again), ids):
        token = claims_of(workload.ask({"variable": "REMIT_TASK_TOKEN"})["variable"])
        assert one.endswith(f"/run/{token['run']}"), (one, token)


@IN_EACH
def test_what_a_run_starts_is_part_of_it(run, language):
    """Most programs are started by a script that was started."""
    workload = run(language, "support", ["sh", "-c", '"$@"; exit $?', "sh"])
    assert "/agent/support/" in workload.ask({"fetch": {}})["svids"][0]["spiffe_id"]


@IN_EACH
def test_who_was_not_started_here_gets_nothing(realm, language):
    workload = Workload(realm.remit, language)
    try:
        assert "permissiondenied" in workload.refused({"fetch": {}})
        assert workload.ask({"watch": {}})
        assert workload.heard(HEAR_SECONDS_MAX) == {"ended": "permissiondenied"}
    finally:
        workload.close()


@pytest.mark.parametrize("header", [None, "True", "1", ""])
@pytest.mark.parametrize("method", ["FetchX509SVID", "FetchX509Bundles", "FetchJWTSVID", "FetchJWTBundles", "ValidateJWTSVID"])
def test_a_request_without_its_header_is_refused(realm, raw, header, method):
    assert "invalidargument" in raw.refused({"raw": method, "header": header, "request": {}})


@pytest.fixture(scope="module")
def raw(realm):
    """One run, for requests that no client would make."""
    workload = Workload.under(realm.remit, "node", "support")
    yield workload
    workload.close()


def test_what_is_not_offered_says_so(raw):
    assert "unimplemented" in raw.refused({"raw": "FetchWITSVID", "header": "true", "request": {}})
    assert "invalidargument" in raw.refused({"raw": "FetchJWTSVID", "header": "true", "request": {"audience": []}})
    other = {"audience": [AUDIENCE], "spiffe_id": "spiffe://remit.local/agent/research/production"}
    assert "permissiondenied" in raw.refused({"raw": "FetchJWTSVID", "header": "true", "request": other})


@IN_EACH
def test_the_end_of_the_task_ends_the_stream_and_the_identity(realm, run, language):
    workload = run(language)
    workload.ask({"watch": {}})
    first = workload.heard(HEAR_SECONDS_MAX)
    assert len(first["update"]) == 1, first
    assert workload.heard(0.3) == {"nothing": True}
    realm.remit.cli("task", "end", task_of(realm, workload), "--note", "done")
    began = time.monotonic()
    assert workload.heard(HEAR_SECONDS_MAX) == {"ended": "permissiondenied"}
    assert time.monotonic() - began < 2
    assert "permissiondenied" in workload.refused({"jwt": AUDIENCE} if language != "python" else {"fetch": {}})


def test_a_suspended_agent_loses_its_identities(realm, run):
    realm.register("brief")
    workload = run("node", "brief")
    workload.ask({"watch": {}})
    assert len(workload.heard(HEAR_SECONDS_MAX)["update"]) == 1
    realm.remit.cli("agent", "suspend", "brief", "--reason", "looked at")
    assert workload.heard(HEAR_SECONDS_MAX) == {"ended": "permissiondenied"}
    assert "permissiondenied" in workload.refused({"x509": {}})


def gateway(realm, connector: str = "desk") -> str:
    return f"{realm.remit.addresses['gateway_mtls']}/mcp/{connector}"


def structured(answer: dict) -> dict:
    assert answer["status"] == 200, answer
    assert answer["body"]["result"].get("isError") is not True, answer
    return answer["body"]["result"]["structuredContent"]


@pytest.mark.parametrize("language", ["python", "go"])
def test_an_svid_alone_reaches_a_tool(realm, run, language):
    workload = run(language)
    if language == "python":
        step = {"tool": gateway(realm), "call": "show_order", "arguments": {"order_id": "O-5007"}}
    else:
        body, headers = mtls.tool_call("show_order", {"order_id": "O-5007"})
        step = {"request": gateway(realm), "server": f"spiffe://{domain(realm)}/remit/gateway", "body": body, "headers": headers}
    assert structured(workload.ask(step))["order_id"] == "O-5007"
    # What it did is on record as its own, and as proven: the certificate was shown for this very call.
    task = task_of(realm, workload)
    query = ["ledger", "query", "--task", task, "--operation", "desk/show_order", "--kind", "ActionAllowed"]
    allowed = upstreams.wait_until(lambda: realm.remit.cli(*query)["items"], HEAR_SECONDS_MAX, "the call is found")
    assert allowed[0]["record"]["event"]["attribution"] == "proven", allowed[0]


def test_an_svid_is_worth_nothing_after_its_task(realm, run):
    workload = run("python")
    step = {"tool": gateway(realm), "call": "show_order", "arguments": {"order_id": "O-5007"}}
    structured(workload.ask(step))
    realm.remit.cli("task", "end", task_of(realm, workload), "--note", "done")
    # The client still has the certificate, which has not expired; the gateway knows better.
    said = workload.step(step)
    assert "error" in said or said["status"] in (401, 403) or said["body"]["result"]["isError"] is True, said


def test_the_listener_for_certificates_wants_one(realm, run, tmp_path):
    said = run("python").ask({"x509": {}})
    place = gateway(realm)
    without = mtls.context(str(tmp_path), None, said["bundles"][domain(realm)])
    with httpx.Client(verify=without) as http, pytest.raises(httpx.TransportError):
        http.post(place, json={})


def test_the_rotation_of_keys_is_pushed(realm, run):
    """A new authority is in every bundle before anything is signed with it, and what it signs verifies."""
    workload = run("node")
    before = workload.ask({"x509": {}})
    workload.ask({"watch": {}})
    workload.heard(HEAR_SECONDS_MAX)
    known = len(authorities(realm))
    realm.remit.cli("key", "rotate", "--purpose", "ca")
    upstreams.wait_until(lambda: len(authorities(realm)) > known, HEAR_SECONDS_MAX, "the new authority is published")
    assert "update" in workload.heard(HEAR_SECONDS_MAX)
    after = workload.ask({"x509": {}})
    assert len(after["bundles"][domain(realm)]) > len(before["bundles"][domain(realm)])
    check_chain(before, authorities(realm))
    check_chain(after, authorities(realm))


def test_a_run_is_told_where_to_ask(realm, run):
    """`remit run` tells the workload where its identity is, in the words of the specification."""
    workload = run("python")
    assert workload.ask({"variable": "SPIFFE_ENDPOINT_SOCKET"})["variable"] == realm.remit.workload_socket
    assert workload.ask({"variable": "REMIT_SESSION"})["variable"] is None
