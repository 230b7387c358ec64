"""Gateways of others that ask the built server for decisions and enforce them themselves: Envoy's `ext_authz` and agentgateway's `ExtMcp`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest

import upstreams
from conftest import running
from hooks import Agentgateway, Envoy, generate
from service import Remit

ENFORCER = "front"
CLIENT = "support"
DENY_ABOVE = """
@id("orders-large")
@reason("large orders are placed by people")
forbid (principal, action == Action::"orders/POST", resource)
when {
  context.arguments has context &&
  context.arguments.context has body &&
  context.arguments.context.body has amount &&
  context.arguments.context.body.amount > 1000
};
"""
TEXT = {"type": "string"}
RESOURCE = {"type": "object", "properties": {"id": TEXT, "region": TEXT}}
BODY = {"type": "object", "properties": {"amount": {"type": "integer"}, "item": TEXT}}
OPERATIONS = {
    "GET": ("read", 0, {"resource": RESOURCE}),
    "POST": ("write", 0, {"resource": RESOURCE, "context": {"type": "object", "properties": {"body": BODY}}}),
    "DELETE": ("write", 3, {"resource": RESOURCE}),
    "PUT": ("write", 3, {"resource": RESOURCE}),
}


class House:
    """ana owns two agents, `front` that enforces and `support` that calls; ben answers; `orders` is enforced elsewhere, the help desk is an MCP server."""

    def __init__(self, remit: Remit):
        self.remit = remit
        remit.add_person("ana")
        remit.add_person("ben", "support-leads")
        remit.cli("person", "add", "carla")
        for agent in (ENFORCER, CLIENT):
            profile = ["--owner", "ana", "--approver", "ben", "--purpose", "answers customers", "--class", "act"]
            profile += ["--autonomy", "A3", "--data-class", "D1,D2", "--environment", "production", "--review-in", "90d"]
            marks = ["--enforcer"] if agent == ENFORCER else []
            remit.cli("agent", "register", agent, *profile, *marks, "--activate")
        self.connect_orders()
        desk = upstreams.helpdesk("desk")
        remit.cli("connector", "add", "desk", "--stdio", "--", *desk.command)
        tools = [part for tool in sorted(desk.approved) for part in ("--tool", tool)]
        remit.cli("connector", "approve-tools", "desk", *tools, "--risk", "1", "--data-class", "D1", "--external", "false")
        self.change_policies(DENY_ABOVE + desk.rule())
        self.grant(ENFORCER, "orders/*")
        self.grant(CLIENT, "orders/GET", *(f"desk/{tool}" for tool in sorted(desk.granted)))
        # Nobody answers for what they started themselves, and the starter policies ask the owner.
        self.enforcer = self.start(ENFORCER, by="root")
        self.client = self.start(CLIENT)
        self.channel = grpc.insecure_channel(remit.addresses["hooks"].removeprefix("http://"))
        self.envoy = Envoy(self.channel, self.enforcer["token"])

    def connect_orders(self) -> None:
        resources = [{"id": "/orders/7", "properties": {"region": "eu"}}]
        self.administer("/v1/connectors", {"name": "orders", "spec": {"kind": "elsewhere", "resources": resources}})
        choices = []
        for name, (verb, risk, properties) in OPERATIONS.items():
            document = {"name": name, "inputSchema": {"type": "object", "properties": properties}}
            choice = {"tool": name, "verb": verb, "risk": risk, "data": "D1", "definition": {"document": document}}
            choices.append(choice)
        self.administer("/v1/connectors/orders/approve-tools", {"choices": choices})

    def change_policies(self, text: str) -> None:
        """While there is one administrator only, what they propose is active at once."""
        edits = [{"artefact": "policy", "name": "hooks", "text": text}]
        self.administer("/v1/changes", {"edits": edits, "reason": "the tests expect these rules"})

    def administer(self, path: str, body: Any) -> Any:
        """As the administrator, on the machine itself."""
        socket = httpx.HTTPTransport(uds=str(self.remit.data / "control.sock"))
        with httpx.Client(transport=socket, base_url="http://remit") as client:
            answer = client.post(path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def grant(self, agent: str, *operations: str) -> None:
        asked = self.remit.cli("grant", "request", agent, *operations, "--reason", "its work", "--for", "30d", by="ana")
        self.remit.cli("grant", "approve", asked["id"], by="ben")

    def start(self, agent: str, by: str = "ana") -> dict[str, Any]:
        return self.remit.cli("task", "start", agent, "--purpose", "ticket 17", "--for", "carla", by=by)

    def approve(self, approval: str, by: str = "ben") -> None:
        digest = self.remit.cli("approval", "show", approval, by=by)["digest"]
        self.remit.cli("approval", "approve", approval, "--digest", digest, by=by)

    def event(self, decision: str) -> dict[str, Any]:
        """What is on record of a decision."""

        def found() -> dict[str, Any] | None:
            items = self.remit.cli("ledger", "query", "--limit", "200")["items"]
            events = [item["record"]["event"] for item in items]
            return next((event for event in events if event.get("action") == decision), None)

        return upstreams.wait_until(found, 15, "the decision is found")

    def agent(self, name: str) -> str:
        return self.remit.cli("agent", "show", name)["id"]

    def spiffe_id(self, name: str) -> str:
        return f"spiffe://remit.local/agent/{name}/production"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with running(tmp_path_factory.mktemp("hooks"), 1, more='[hooks]\nlisten = "127.0.0.1:0"\n') as remit:
        built = House(remit)
        try:
            yield built
        finally:
            built.channel.close()


@pytest.fixture(scope="module")
def agentgateway(house: House, tmp_path_factory: pytest.TempPathFactory) -> Agentgateway:
    return Agentgateway(house.channel, house.enforcer["token"], generate(tmp_path_factory.mktemp("ext_mcp")))


# What a configuration says of a route: what it is to, whose requests are that show nobody, and that the filter sends whole bodies.
ORDERS = {"extensions": {"connector": "orders"}}
DESK = {"extensions": {"connector": "desk"}}
OWN_ORDERS = {"extensions": {"connector": "orders", "agent": ENFORCER, "bodies": "whole"}}
OWN_DESK = {"extensions": {"connector": "desk", "agent": ENFORCER}}


def test_hooks_are_closed_unless_they_are_configured(tmp_path):
    with running(tmp_path / "closed", 1) as remit:
        assert "hooks" not in remit.addresses


@pytest.mark.parametrize("token", [None, "nonsense"])
def test_who_is_not_known_gets_no_answer(house, token):
    with pytest.raises(grpc.RpcError) as refused:
        Envoy(house.channel, token).check("GET", "/orders/7", **ORDERS)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_who_is_no_enforcer_is_told_no_and_gets_no_error_of_the_call(house, agentgateway):
    own = house.client["token"]
    client = Agentgateway(house.channel, own, (agentgateway.messages, agentgateway.clients))
    denied = Envoy(house.channel, own).check("GET", "/orders/7", **ORDERS)
    assert (denied.status, denied.code) == (403, "not_an_enforcer") and "--enforcer" in denied.problem["help"]
    for answer in (
        client.request("tools/list", {}, "desk", client=own),
        client.response("tools/list", {"tools": []}, "desk", authorization=f"Bearer {own}"),
        client.response("tools/call", {"content": []}, "desk"),
    ):
        assert answer.error.code == agentgateway.messages.AuthorizationError.PERMISSION_DENIED
        assert json.loads(answer.error.mcp_error)["code"] == "not_an_enforcer" and "--enforcer" in answer.error.reason


def test_what_names_nobody_and_nothing_is_denied(house, agentgateway):
    nobody = house.envoy.check("GET", "/orders/7", **ORDERS)
    assert (nobody.status, nobody.code) == (403, "acting_unknown")
    other = house.envoy.check("GET", "/orders/7", headers={"authorization": "Bearer of-somebody-else"}, **ORDERS)
    assert (other.status, other.code) == (403, "acting_unknown")
    unnamed = house.envoy.check("GET", "/orders/7", host="orders", extensions={"agent": ENFORCER})
    assert (unnamed.status, unnamed.code) == (403, "connector_unnamed"), "the client's host chooses nothing"
    denied = agentgateway.request("tools/call", {"name": "show_order", "arguments": {"order_id": "O-5007"}}, "desk")
    assert json.loads(denied.error.mcp_error)["code"] == "acting_unknown"
    assert agentgateway.response("tools/list", {"tools": []}, "desk").WhichOneof("result") == "error"


def test_an_allowed_request_gets_one_header_and_its_record_says_who_enforced_it(house):
    checked = house.envoy.check("GET", "/orders/7?full=1", headers={"remit-decision": "act_made_up"}, **OWN_ORDERS)
    assert checked.allowed and list(checked.headers) == ["remit-decision"] and checked.removed == []
    event = house.event(checked.headers["remit-decision"])
    assert event["type"] == "ActionAllowed" and event["operation"] == "orders/GET"
    assert event["enforcer"] == event["agent"] == house.agent(ENFORCER)
    assert "named" not in event


def test_the_client_s_own_task_acts_where_it_shows_one(house):
    checked = house.envoy.check("GET", "/orders/7", headers={"authorization": f"Bearer {house.client['token']}"}, **ORDERS)
    event = house.event(checked.headers["remit-decision"])
    assert (event["agent"], event["task"]) == (house.agent(CLIENT), house.client["task"])
    assert event["enforcer"] == house.agent(ENFORCER)
    # What this client has no grant for is denied, though whoever asks has one.
    denied = house.envoy.check("POST", "/orders", body={"amount": 5}, headers={"authorization": f"Bearer {house.client['token']}"}, **ORDERS)
    assert (denied.status, denied.code) == (403, "denied_by_policy")
    broken = house.client["token"][:-8] + "AAAAAAAA"
    denied = house.envoy.check("GET", "/orders/7", headers={"authorization": f"Bearer {broken}"}, **ORDERS)
    assert denied.status == 401, "a credential of the realm that does not hold is not as good as none"
    other = house.envoy.check("GET", "/orders/7", headers={"authorization": "Bearer of-somebody-else"}, **OWN_ORDERS)
    assert house.event(other.headers["remit-decision"])["agent"] == house.agent(ENFORCER)


def test_an_agent_that_is_named_has_to_be_allowed_as_well(house):
    by_name = house.envoy.check("GET", "/orders/7", extensions={"connector": "orders", "agent": CLIENT})
    by_certificate = house.envoy.check("GET", "/orders/7", principal=house.spiffe_id(CLIENT), **ORDERS)
    for checked in (by_name, by_certificate):
        assert house.event(checked.headers["remit-decision"])["named"] == house.agent(CLIENT)
    denied = house.envoy.check("POST", "/orders", body={"amount": 5}, principal=house.spiffe_id(CLIENT), **ORDERS)
    assert (denied.status, denied.code) == (403, "denied_by_policy")
    nobody = house.envoy.check("GET", "/orders/7", principal=house.spiffe_id("nobody"), **ORDERS)
    assert (nobody.status, nobody.code) == (403, "svid_unknown")


def test_a_rule_on_the_body_decides_and_a_body_that_is_cut_off_is_no_body(house):
    assert house.envoy.check("POST", "/orders", body={"amount": 5, "unnamed": [1]}, **OWN_ORDERS).allowed
    large = house.envoy.check("POST", "/orders", body={"amount": 5000}, **OWN_ORDERS)
    assert (large.status, large.code) == (403, "denied_by_policy")
    assert "large orders" in json.dumps(large.problem)
    cut = house.envoy.check("POST", "/orders", body={"amount": 5}, partial=True, **OWN_ORDERS)
    assert (cut.status, cut.code) == (403, "body_unknown")
    assert house.envoy.check("GET", "/orders/7", body={"amount": 5}, partial=True, **OWN_ORDERS).allowed


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("PATCH", "/orders/7", "operation_unknown"),
        ("GET", "/orders/../admin", "path_ambiguous"),
        ("GET", "/%61dmin", "path_ambiguous"),
        ("GET", "//orders", "path_ambiguous"),
    ],
)
def test_what_nobody_approved_or_could_be_something_else_is_denied(house, method, path, code):
    checked = house.envoy.check(method, path, **OWN_ORDERS)
    assert (checked.status, checked.code) == (403, code)
    assert checked.headers["content-type"] == "application/problem+json"
    assert checked.problem["detail"] and checked.problem["help"]


def test_what_a_person_has_to_approve_is_let_on_once_they_have(house):
    first = house.envoy.check("DELETE", "/orders/7", **OWN_ORDERS)
    assert (first.status, first.code, first.problem["retry_after"]) == (403, "approval_required", 5)
    assert first.headers["retry-after"] == "5"
    again = house.envoy.check("DELETE", "/orders/7", **OWN_ORDERS)
    assert again.problem["approval"] == first.problem["approval"]
    house.approve(first.problem["approval"], by="ana")
    assert house.envoy.check("DELETE", "/orders/8", **OWN_ORDERS).code == "approval_required", "another order is another action"
    granted = house.envoy.check("DELETE", "/orders/7", **OWN_ORDERS)
    assert granted.allowed
    assert house.event(granted.headers["remit-decision"])["approval"] == first.problem["approval"]
    assert house.envoy.check("DELETE", "/orders/7", **OWN_ORDERS).code == "approval_required"


def test_an_approval_is_for_the_query_and_the_body_that_no_schema_names(house):
    def put(path: str = "/orders/7?full=1", note: str = "x", **said: Any) -> Any:
        return house.envoy.check("PUT", path, body={"note": note}, **OWN_ORDERS, **said)

    cut = put(partial=True)
    assert (cut.status, cut.code) == (403, "body_unknown") and "approval" not in cut.problem, "nobody can approve it"
    approval = put().problem["approval"]
    shown = house.remit.cli("approval", "show", approval, by="ana")["beside"]["context"]
    assert shown["query"] == "full=1" and len(shown["body_sha256"]) == 64 and shown["body_size_bytes"] == len(b'{"note": "x"}')
    house.approve(approval, by="ana")
    others = [put(path="/orders/7?full=0"), put(path="/orders/7"), put(note="y"), put(host="other.internal")]
    assert [other.code for other in others] == ["approval_required"] * len(others)
    assert put().allowed


@pytest.mark.parametrize("protocol", ["HTTP/1.1", "HTTP/2"])
def test_there_is_no_body_only_where_the_operator_says_that_bodies_come_whole(house, protocol):
    unsaid = house.envoy.check("PUT", "/orders/9", protocol=protocol, extensions={"connector": "orders", "agent": ENFORCER})
    assert (unsaid.status, unsaid.code) == (403, "body_unknown")
    assert house.envoy.check("PUT", "/orders/9", protocol=protocol, **OWN_ORDERS).code == "approval_required"
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "content-length": "0"}
    becomes = house.envoy.check("PUT", "/orders/9", protocol=protocol, headers=upgrade, **OWN_ORDERS)
    assert (becomes.status, becomes.code) == (403, "body_unknown"), "such a request is not waited for"


def test_the_enforcer_s_own_name_is_for_requests_that_show_nobody(house):
    by_certificate = house.envoy.check("GET", "/orders/7", principal=house.spiffe_id(CLIENT), **OWN_ORDERS)
    assert house.event(by_certificate.headers["remit-decision"])["named"] == house.agent(CLIENT)
    carrying = {"headers": {"authorization": f"Bearer {house.client['token']}"}}
    other = house.envoy.check("GET", "/orders/7", principal=house.spiffe_id(ENFORCER), **carrying, **OWN_ORDERS)
    assert (other.status, other.code) == (403, "credential_shared_run")
    # The help desk was granted to the client alone.
    called = house.envoy.calls("show_order", {"order_id": "O-5007"}, **carrying, **OWN_DESK)
    assert "named" not in house.event(called.headers["remit-decision"])


def test_a_body_in_text_is_the_body_only_where_it_stands_for_no_other_bytes(house):
    assert house.envoy.check("POST", "/orders", body={"amount": 5, "item": "pen"}, text=True, **OWN_ORDERS).allowed
    doubtful = house.envoy.check("POST", "/orders", body={"amount": 5, "item": "pen!"}, text=True, **OWN_ORDERS)
    assert (doubtful.status, doubtful.code) == (403, "body_unknown") and "pack_as_bytes" in doubtful.problem["help"]
    assert house.envoy.check("POST", "/orders", body={"amount": 5, "item": "pen!"}, **OWN_ORDERS).allowed


def test_a_message_to_an_mcp_server_is_decided_as_the_tool_that_it_calls(house):
    client = {"headers": {"authorization": f"Bearer {house.client['token']}"}}
    called = house.envoy.calls("show_order", {"order_id": "O-5007"}, **client, **DESK)
    event = house.event(called.headers["remit-decision"])
    assert (event["operation"], event["agent"], event["enforcer"]) == ("desk/show_order", house.agent(CLIENT), house.agent(ENFORCER))
    greeting = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    passed = house.envoy.check("POST", "/mcp", body=greeting, **client, **DESK)
    assert passed.allowed and not passed.headers and passed.removed == ["remit-decision"]
    assert house.envoy.check("POST", "/mcp", body=greeting, **OWN_DESK).code == "nothing_reachable"
    assert house.envoy.check("GET", "/mcp", **client, **DESK).status == 405
    assert house.envoy.check("POST", "/elsewhere", body=greeting, **client, **DESK).code == "path_unknown"


def test_agentgateway_s_calls_are_decided_asked_and_approved(house, agentgateway):
    token = house.client["token"]
    passed = agentgateway.request("tools/call", {"name": "show_order", "arguments": {"order_id": "O-5007"}}, "desk", client=token)
    assert passed.WhichOneof("result") == "pass"
    decision = passed.metadata["remit_decision"]
    assert [(header.key, header.value.decode()) for header in passed.header_mutation.set] == [("remit-decision", decision)]
    event = house.event(decision)
    assert (event["operation"], event["agent"], event["enforcer"]) == ("desk/show_order", house.agent(CLIENT), house.agent(ENFORCER))
    refund = {"name": "refund_order", "arguments": {"order_id": "O-5007", "amount_cents": 5_001, "reason": "dead pixels"}}
    waits = agentgateway.request("tools/call", refund, "desk", client=token)
    assert waits.WhichOneof("result") == "error", waits
    told = json.loads(waits.error.mcp_error)
    assert (told["code"], told["remit/refusal"]["approval"]) == ("approval_required", told["approval"])
    house.approve(told["approval"])
    assert agentgateway.request("tools/call", refund, "desk", client=token).WhichOneof("result") == "pass"
    denied = agentgateway.request("tools/call", {"name": "show_order", "arguments": {"order_id": "O-5007"}}, "desk", agent=ENFORCER)
    assert denied.error.code == agentgateway.messages.AuthorizationError.PERMISSION_DENIED, "whoever asks has no grant for it"
    unread = agentgateway.messages.McpRequest(service_names=["desk"], method="tools/call", mcp_request=b'{"name": "a", "name": "b"}')
    unread.metadata_context["agent"] = ENFORCER
    refused = agentgateway.stub.CheckRequest(unread, metadata=agentgateway.metadata)
    assert refused.error.code == agentgateway.messages.AuthorizationError.INVALID


def test_agentgateway_s_lists_hold_what_the_client_could_use(house, agentgateway):
    desk = upstreams.helpdesk("desk")
    tools = [{"name": name, "description": "whatever the server says", "inputSchema": {"type": "object"}} for name in [*sorted(desk.approved), "invented"]]
    looked = agentgateway.response("tools/list", {"tools": tools}, "desk", authorization=f"Bearer {house.client['token']}")
    assert looked.WhichOneof("result") == "mutated"
    listed = json.loads(looked.mutated)["tools"]
    assert {tool["name"] for tool in listed} == set(desk.granted)
    assert not any(tool["description"] == "whatever the server says" for tool in listed), "as it was approved"
    joined = {"tools": [{"name": "desk_show_order"}, {"name": "files_read"}]}
    looked = agentgateway.response("tools/list", joined, "desk", "files", authorization=f"Bearer {house.client['token']}")
    assert [tool["name"] for tool in json.loads(looked.mutated)["tools"]] == ["desk_show_order"]
    assert agentgateway.response("tools/call", {"content": []}, "desk").WhichOneof("result") == "pass"
    named = agentgateway.response("tools/list", {"tools": tools}, "desk", agent=CLIENT)
    assert json.loads(named.mutated)["tools"] == [], "whoever asks has to be allowed as well"


def test_headers_that_agentgateway_passes_on_agree_with_the_message(house, agentgateway):
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"name": "show_order", "arguments": {"order_id": "O-5007"}, "_meta": meta}
    headers = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "show_order"}
    asked = {"client": house.client["token"]}
    assert agentgateway.request("tools/call", params, "desk", headers=headers, **asked).WhichOneof("result") == "pass"
    other = agentgateway.request("tools/call", params, "desk", headers=headers | {"mcp-name": "refund_order"}, **asked)
    assert json.loads(other.error.mcp_error)["code"] == "request_malformed"


def test_what_others_enforce_is_not_called_through_remit(house):
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "GET", "arguments": {}}}
    headers = {"authorization": f"Bearer {house.client['token']}", "accept": "application/json, text/event-stream"}
    answer = httpx.post(house.remit.mcp("orders"), json=body, headers=headers).json()
    assert answer["result"]["_meta"]["remit/refusal"]["code"] == "enforced_elsewhere"


def test_nobody_asks_with_a_task_that_has_ended(house):
    task = house.start(ENFORCER)
    envoy = Envoy(house.channel, task["token"])
    assert envoy.check("GET", "/orders/7", **OWN_ORDERS).allowed
    house.remit.cli("task", "end", task["task"], "--note", "done", by="ana")
    ended = envoy.check("GET", "/orders/7", **OWN_ORDERS)
    assert (ended.status, ended.code) == (403, "task_ended"), "a no, and no error of the call"
