"""Notices: signed webhooks, messages for Slack, and mail, each leading to a page that a person has to sign in to."""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

import upstreams
from browser import console
from certificates import Authority
from conftest import running
from driving import OLD, refusal_of
from estate import Estate
from service import ROOT, free_port
from upstreams import wait_until

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PASSWORD = "correct horse hunter2"
SLACK_PATH = "/services/T000/B000/hunter2"
TOLD_SECONDS_MAX = 20
REFUND = {"order_id": "O-5011", "amount_cents": 5_101, "reason": "a reason that only ben may read"}
PEOPLE = ["ana", "ben", "dora", "mia", "carla"]


@dataclass
class Receiver:
    """A web server that keeps what it is sent and answers with what a test plans."""

    url: str = ""
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    plan: list[int] = field(default_factory=list)

    def about(self, text: str) -> list[tuple[str, dict[str, str], bytes]]:
        return [one for one in self.got if text.encode() in one[2]]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append((self.path, headers, body))
            self.send_response(receiver.plan.pop(0) if receiver.plan else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What an SMTP server keeps: for whom, and what. `broken` mailboxes do not exist, `busy` ones are full for a moment."""

    got: list[tuple[str, EmailMessage]] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.broken:
            return "550 no such mailbox"
        if address in self.busy:
            self.busy.remove(address)
            return "452 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.encrypted.append(session.ssl is not None)
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.got += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"

    def to(self, name: str) -> list[EmailMessage]:
        return [message for address, message in self.got if address == f"{name}@people.example"]


class Encrypting(Controller):
    """Wants STARTTLS and a password before it takes anything."""

    def factory(self) -> SMTP:
        signs_in = lambda server, session, envelope, mechanism, data: AuthResult(
            success=data.login == b"remit" and data.password == PASSWORD.encode()
        )
        return SMTP(
            self.handler,
            tls_context=self.encryption,
            require_starttls=True,
            auth_required=True,
            authenticator=signs_in,
            enable_SMTPUTF8=True,
        )


@contextmanager
def mail_server(authority: Authority) -> Iterator[tuple[Mailbox, int]]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    mailbox, port = Mailbox(), free_port()
    controller = Encrypting(mailbox, hostname="127.0.0.1", port=port)
    controller.encryption = context
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


@dataclass
class Told:
    """A realm that tells three targets, and a fourth that nobody answers at."""

    estate: Estate
    webhook: Receiver
    slack: Receiver
    mailbox: Mailbox

    def ask(self, client: Any) -> str:
        """The agent of a new task asks for a refund; the approval that waits."""
        driver = client("typescript", OLD, url=self.estate.remit.mcp("desk"), token=self.estate.task().token)
        return refusal_of(driver.call("refund_order", **REFUND))["approval"]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("notifications")
    authority = Authority(directory / "authority")
    secrets = {"webhook": SECRET, "password": PASSWORD}
    with receiving() as webhook, receiving() as slack, mail_server(authority) as (mailbox, port):
        secrets["slack"] = slack.url + SLACK_PATH
        for name, text in secrets.items():
            (directory / name).write_text(text + "\n")
        more = f"""
[[notify.webhook]]
name = "nobody"
url = "http://127.0.0.1:{free_port()}/"
secret_file = "{directory / 'webhook'}"
[[notify.webhook]]
name = "soc"
url = "{webhook.url}/told"
secret_file = "{directory / 'webhook'}"
[[notify.slack]]
name = "leads"
url_file = "{directory / 'slack'}"
[notify.smtp]
server = "localhost"
port = {port}
from = "Remit <remit@remit.example>"
username = "remit"
password_file = "{directory / 'password'}"
roots = "{authority.roots}"
[notify.smtp.addresses]
""" + "".join(f'{name} = "{name}@people.example"\n' for name in PEOPLE)
        mailbox.broken.add("mia@people.example")
        with running(directory / "remit", 1, more=more) as remit:
            estate = Estate(remit, [upstreams.helpdesk("desk")])
            remit.agreed("person", "add", "dora", "--group", "support-leads")
            yield Told(estate, webhook, slack, mailbox)


@pytest.fixture
def genuine() -> Any:
    """The helper that the guide gives to those who receive notices, as it stands there."""
    guide = (ROOT / "docs" / "guide" / "notifications.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_genuine"]


def test_a_question_reaches_every_target_and_leads_to_its_page(client, told, genuine):
    told.webhook.plan = [503, 204]
    approval = told.ask(client)
    page = f"{console(told.estate)}/approvals/{approval}"
    first, second = wait_until(lambda: told.webhook.about(approval)[1:] and told.webhook.about(approval), TOLD_SECONDS_MAX, "told again")
    path, headers, body = second
    assert first[1]["webhook-id"] == headers["webhook-id"] and first[2] == body
    said = Webhook(SECRET).verify(body, headers)
    assert said["type"] == "approval_requested"
    assert [one["name"] for one in said["data"]["to"]] == ["ben", "dora"], "who may answer, and nobody else"
    assert said["data"]["page"] == page
    assert genuine(SECRET, headers, body)
    ((slack_path, _, message),) = wait_until(lambda: told.slack.about(approval), TOLD_SECONDS_MAX, "Slack is told")
    assert slack_path == SLACK_PATH
    assert f"<{page}|" in json.dumps(json.loads(message))
    (mail,) = wait_until(lambda: [mail for mail in told.mailbox.to("ben") if approval in mail.get_content()], TOLD_SECONDS_MAX, "ben has mail")
    assert mail["from"] == "Remit <remit@remit.example>" and mail["auto-submitted"] == "auto-generated"
    assert [line for line in mail.get_content().splitlines() if "://" in line] == [page]
    assert not [mail for name in ("ana", "carla") for mail in told.mailbox.to(name) if approval in mail.get_content()]
    assert all(told.mailbox.encrypted)
    for text in (body.decode(), message.decode(), mail.get_content()):
        assert REFUND["reason"] not in text and "O-5011" not in text and "5101" not in text


def test_what_is_forged_or_old_or_changed_is_noticed(client, told, genuine):
    approval = told.ask(client)
    ((_, headers, body),) = wait_until(lambda: told.webhook.about(approval), TOLD_SECONDS_MAX, "told")[-1:]
    sent = int(headers["webhook-timestamp"])
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    assert genuine(SECRET, headers, body)
    assert not genuine(other, headers, body)
    assert not genuine(SECRET, headers, body.replace(b"support", b"suppOrt"))
    assert not genuine(SECRET, headers | {"webhook-id": headers["webhook-id"] + "1"}, body)
    assert not genuine(SECRET, headers | {"webhook-timestamp": str(sent + 1)}, body)
    assert not genuine(SECRET, headers, body, now=sent + 3_600), "replayed an hour later"
    for missing in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert not genuine(SECRET, {name: value for name, value in headers.items() if name != missing}, body)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"support", b"suppOrt"), headers)


def test_a_mailbox_that_is_full_for_a_moment_gets_its_mail_and_nobody_gets_two(client, told):
    told.mailbox.busy.add("dora@people.example")
    approval, next_one = told.ask(client), told.ask(client)
    about = lambda name, which: [mail for mail in told.mailbox.to(name) if which in mail.get_content()]
    wait_until(lambda: about("ben", next_one) and about("dora", next_one), TOLD_SECONDS_MAX, "both have mail")
    assert [len(about(name, which)) for name in ("ben", "dora") for which in (approval, next_one)] == [1, 1, 1, 1]
    assert len({mail["message-id"] for _, mail in told.mailbox.got}) == len(told.mailbox.got)


def test_the_page_asks_who_one_is(client, told):
    approval = told.ask(client)
    ((_, _, body),) = wait_until(lambda: told.webhook.about(approval), TOLD_SECONDS_MAX, "told")[-1:]
    page = json.loads(body)["data"]["page"]
    answer = httpx.get(page, follow_redirects=False)
    assert answer.status_code in (302, 303, 401) and approval not in answer.text.replace(page, "").replace(f"/approvals/{approval}", "")
    assert told.estate.shown(approval)["status"] == "pending", "looking at it answered nothing"


def test_a_change_goes_to_who_may_approve_it(told, tmp_path):
    rules = tmp_path / "more.cedar"
    rules.write_text(
        '@id("more") forbid (principal, action == Action::"desk/show_order", resource) when { context.arguments.order_id == "O-1" };'
    )
    change = told.estate.remit.cli("policy", "propose", str(rules), "--reason", "a reason for mia")["id"]
    ((_, headers, body),) = wait_until(lambda: told.webhook.about(change), TOLD_SECONDS_MAX, "told")[-1:]
    said = Webhook(SECRET).verify(body, headers)
    assert (said["type"], [one["name"] for one in said["data"]["to"]]) == ("change_proposed", ["mia"])
    assert said["data"]["page"] == f"{console(told.estate)}/changes/{change}"
    assert "a reason for mia" not in body.decode()


def test_no_log_says_a_secret(client, told):
    """Last, so that everything has been tried: a target that nobody answers at, mailboxes that do not exist, and the rest."""
    approval = told.ask(client)
    # mia's mailbox refused the notice of the change before; what came after it arrived all the same.
    wait_until(lambda: [mail for mail in told.mailbox.to("ben") if approval in mail.get_content()], TOLD_SECONDS_MAX, "ben has mail")
    log = told.estate.remit.log.read_text()
    assert "the mail server answered 550" in log and "notify webhook nobody" in log
    for secret in ("hunter2", SECRET, SECRET.removeprefix("whsec_"), told.webhook.url, told.slack.url):
        assert secret not in log
