"""Decisions for others: the vectors of the OpenID AuthZEN working group, asked of the built server (see ../authzen/README.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import running
from service import ROOT, Remit

VECTORS = ROOT / "tests" / "authzen"
ENFORCER = "enforcer"
BYSTANDER = "bystander"
TODO_FILES = {
    "decisions": 40,
    "decisions-authorization-api-1_0-00": 40,
    "decisions-authorization-api-1_0-01": 40,
    "decisions-authorization-api-1_0-02": 43,
}
# What the certification scenario says in words only: what a search has to find, by test.
FOUND_IN_WORDS = {
    "c-4-2-2": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}],
    "c-4-2-3": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}],
    "c-4-3-2": [{"type": "record", "id": "record-1"}],
    "c-4-3-3": [{"type": "record", "id": "record-1"}],
    "c-4-4-2": [{"name": "read"}, {"name": "write"}],
}


def read(name: str) -> Any:
    return json.loads((VECTORS / name).read_text())


class House:
    """A realm with one of the fixtures, whose policies one administrator proposed and another approved, and an agent that enforces."""

    def __init__(self, remit: Remit, fixture: str):
        self.remit = remit
        remit.add_person("ana")
        remit.add_person("ben", "finance")
        profile = ["--owner", "ana", "--approver", "ben", "--purpose", "stands before records", "--class", "act"]
        profile += ["--autonomy", "A3", "--data-class", "D1,D2", "--environment", "production", "--review-in", "90d", "--activate"]
        remit.cli("agent", "register", ENFORCER, *profile, "--enforcer")
        remit.cli("agent", "register", BYSTANDER, *profile)
        wanted = read(f"fixtures/{fixture}.json")
        for connector in wanted["connectors"]:
            self.administer("/v1/connectors", connector["add"])
            name = connector["add"]["name"]
            self.administer(f"/v1/connectors/{name}/approve-tools", {"choices": connector["choices"]})
            asked = ["grant", "request", ENFORCER, f"{name}/*", "--reason", "it stands before them", "--for", "30d"]
            remit.cli("grant", "approve", remit.cli(*asked, by="ana")["id"], by="ben")
        remit.add_person("mia", "administrators")
        edits = [{"artefact": "policy", **policy} for policy in wanted["policies"]]
        change = self.administer("/v1/changes", {"edits": edits, "reason": "the vectors expect these rules"})
        self.asked_by("mia", f"/v1/changes/{change['id']}/approve")
        self.token = remit.cli("task", "start", ENFORCER, "--purpose", "decides for others")["token"]
        self.http = httpx.Client(base_url=remit.control, headers={"authorization": f"Bearer {self.token}"})

    def administer(self, path: str, body: Any) -> Any:
        """As the administrator, on the machine itself."""
        socket = httpx.HTTPTransport(uds=str(self.remit.data / "control.sock"))
        with httpx.Client(transport=socket, base_url="http://remit") as client:
            answer = client.post(path, json=body)
        assert answer.status_code in (200, 202), answer.text
        return answer.json()

    def asked_by(self, person: str, path: str, body: Any = None) -> Any:
        session = {"authorization": f"Bearer {self.remit.sessions[person]}"}
        answer = httpx.post(f"{self.remit.control}{path}", json=body or {}, headers=session)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, body: Any, **headers: str) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers)

    def evaluate(self, body: Any) -> dict[str, Any]:
        answer = self.ask("/access/v1/evaluation", body)
        assert answer.status_code == 200, answer.text
        return answer.json()


def house(directory: Path, fixture: str) -> Iterator[House]:
    with running(directory, 1) as remit:
        built = House(remit, fixture)
        try:
            yield built
        finally:
            built.http.close()


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from house(tmp_path_factory.mktemp("certification"), "certification")


@pytest.fixture(scope="module")
def todos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from house(tmp_path_factory.mktemp("todo"), "todo")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from house(tmp_path_factory.mktemp("gateway"), "gateway")


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from house(tmp_path_factory.mktemp("approval"), "approval")


def decisions(answer: Any) -> list[bool]:
    return [one["decision"] for one in answer["evaluations"]]


def check(vector: dict[str, Any], answer: httpx.Response) -> None:
    """Whether an answer is what the scenario says, in a body or in words."""
    assert answer.status_code == vector["expected_status"], answer.text
    if answer.status_code != 200:
        return
    assert answer.headers["content-type"] == "application/json"
    body, expected = answer.json(), vector["expected_body"] or {}
    if "decision" in expected:
        assert body["decision"] is expected["decision"]
    elif '`"decision": true`' in vector["expected_text"]:
        assert body["decision"] is True
    if asked := vector["request"].get("evaluations"):
        assert len(body["evaluations"]) == len(asked)
    if "evaluations" in expected:
        assert decisions(body) == decisions(expected)
    if vector["test"] == "c-3-4-1":
        assert decisions(body)[1] is False
    results = expected.get("results", FOUND_IN_WORDS.get(vector["test"]))
    if results is not None:
        assert all(result in body["results"] for result in results)
        assert results or body["results"] == []


SCENARIO = read("certification-vectors.json")["vectors"]


@pytest.mark.parametrize("vector", SCENARIO, ids=[f"{number}-{one['test']}" for number, one in enumerate(SCENARIO)])
def test_certification(records: House, vector: dict[str, Any]) -> None:
    request = json.loads(json.dumps(vector["request"]))
    if vector["test"] == "c-4-5-2":
        first = records.ask(vector["endpoint"], {**request, "page": {"limit": 1}}).json()
        request["page"]["token"] = first["page"]["next_token"]
    check(vector, records.ask(vector["endpoint"], request))


PERMITTED = SCENARIO[0]["request"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain", json.dumps(PERMITTED)),
        ("application/json", '{"subject":'),
        ("application/json", ""),
        ("application/json", json.dumps(PERMITTED).replace("{", '{"action": {"name": "write"}, ', 1)),
    ],
    ids=["content-type", "malformed", "empty", "twice"],
)
def test_what_cannot_be_read_is_refused(records: House, content_type: str, body: str) -> None:
    headers = {"content-type": content_type, "x-request-id": "of-a-bad-one"}
    answer = records.http.post("/access/v1/evaluation", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["x-request-id"] == "of-a-bad-one"


def test_requests_are_named_as_their_senders_name_them(records: House) -> None:
    named = records.ask("/access/v1/evaluation", PERMITTED, **{"x-request-id": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"})
    assert named.headers["x-request-id"] == "bfe9eb29-ab87-4ca3-be83-a1d5d8305716"
    unnamed = [records.ask("/access/v1/evaluation", PERMITTED) for _ in range(3)]
    assert all(answer.json()["decision"] is True and "x-request-id" not in answer.headers for answer in unnamed)
    assert len({answer.headers["remit-decision"] for answer in unnamed}) == 3


def test_everything_is_found_by_the_metadata(records: House) -> None:
    answer = httpx.get(f"{records.remit.control}/.well-known/authzen-configuration")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    metadata = answer.json()
    assert metadata["policy_decision_point"] == records.remit.control
    assert "urn:openid:authzen:capability:access-request" in metadata["capabilities"]
    found = records.http.post(metadata["access_evaluation_endpoint"], json=PERMITTED)
    assert found.json()["decision"] is True


def test_nobody_is_answered_who_is_not_known(records: House) -> None:
    for headers in [{}, {"authorization": "Bearer nothing"}, {"authorization": f"Bearer {records.remit.sessions['mia']}"}]:
        answer = httpx.post(f"{records.remit.control}/access/v1/evaluation", json=PERMITTED, headers=headers)
        assert answer.status_code == 401, answer.text


def test_only_an_enforcer_is_answered(records: House) -> None:
    token = records.remit.cli("task", "start", BYSTANDER, "--purpose", "is curious")["token"]
    for path in ["evaluation", "evaluations", "search/subject", "search/resource", "search/action", "requests"]:
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx.post(f"{records.remit.control}/access/v1/{path}", json=PERMITTED, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_an_enforcer"), answer.text


def test_a_name_from_here_is_nobodys_who_was_named_elsewhere(routes: House) -> None:
    question = read("gateway/decisions.json")["evaluation"][0]["request"]
    for issuer, known in [(None, True), (routes.remit.control, True), ("https://id.example.org", False)]:
        subject = {"type": "identity", "id": "ben", "properties": {"iss": issuer}}
        answer = routes.evaluate({**question, "subject": subject})
        assert (answer.get("context", {}).get("code") != "subject_unknown") is known, answer


@pytest.mark.parametrize(("name", "count"), TODO_FILES.items())
def test_the_to_do_application(todos: House, name: str, count: int) -> None:
    vectors = read(f"todo/{name}.json")
    single = vectors.get("evaluation", vectors.get("decisions", []))
    for vector in single:
        assert todos.evaluate(vector["request"])["decision"] is vector["expected"], vector["request"]
    batches = vectors.get("evaluations", [])
    for vector in batches:
        answer = todos.ask("/access/v1/evaluations", vector["request"]).json()
        assert decisions(answer) == [one["decision"] for one in vector["expected"]], vector["request"]
    assert len(single) + len(batches) == count


def test_the_gateway(routes: House) -> None:
    vectors = read("gateway/decisions.json")["evaluation"]
    assert len(vectors) == 25
    for vector in vectors:
        assert routes.evaluate(vector["request"])["decision"] is vector["expected"], vector["request"]


def payment(invoice: str, amount_cents: int) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": "alice"},
        "action": {"name": "pay", "properties": {"amount_cents": amount_cents}},
        "resource": {"type": "payment", "id": invoice},
    }


def request_for(question: dict[str, Any], denied: dict[str, Any]) -> dict[str, Any]:
    """What the Access Request and Approval Profile has an enforcer send after a denial."""
    context = denied["context"]
    echoed = {name: context["access_request"][name] for name in ("expires_at", "binding_token", "template")}
    return {**question, "denial": {"evaluation_id": context["evaluation_id"], "reason": context["reason"], **echoed}}


def test_what_a_person_approves_is_permitted_once(payments: House) -> None:
    question = payment("invoice-7", 4_200)
    denied = payments.evaluate(question)
    assert (denied["decision"], denied["context"]["reason"]) == (False, "approval_required")
    asked = payments.http.post(denied["context"]["access_request"]["endpoint"], json=request_for(question, denied))
    assert asked.status_code == 202, asked.text
    status = asked.json()["task"]["status_endpoint"]
    assert payments.http.get(status).json()["task"]["status"] == "pending"
    approval = asked.json()["task"]["id"]
    shown = payments.remit.cli("approval", "show", approval, by="ben")
    assert shown["arguments"]["action"] == {"amount_cents": 4_200}
    payments.remit.cli("approval", "approve", approval, "--digest", shown["digest"], by="ben")
    done = payments.http.get(status).json()
    assert done["task"]["status"] == "approved"
    brought = {"context": {"approval": done["result"]["approval"]}}
    other = payments.evaluate({**payment("invoice-7", 4_201), **brought})
    assert (other["decision"], other["context"]["reason"]) == (False, "out_of_scope")
    assert payments.evaluate({**question, **brought})["decision"] is True
    again = payments.evaluate({**question, **brought})
    assert (again["decision"], again["context"]["code"]) == (False, "approval_used")


def test_a_no_comes_back_with_its_note(payments: House) -> None:
    question = payment("invoice-8", 1)
    denied = payments.evaluate(question)
    asked = payments.ask("/access/v1/requests", request_for(question, denied)).json()
    payments.remit.cli("approval", "deny", asked["task"]["id"], "--note", "we paid this in May", by="ben")
    shown = payments.http.get(asked["task"]["status_endpoint"]).json()
    assert shown["task"]["status"] == "denied"
    assert "we paid this in May" in shown["task"]["display"]["description"]
    again = payments.evaluate(question)
    assert "we paid this in May" in again["context"]["reason_user"]["en"]
