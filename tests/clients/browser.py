"""A browser without scripts: a plain HTTP client that signs in, reads pages and sends their forms."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx

CONSENT = "/consent"


class Forms(HTMLParser):
    """The forms of a page: for each address its fields and what can be chosen, and whether its button can be pressed."""

    def __init__(self, page: str):
        super().__init__()
        self.fields: dict[str, dict[str, str]] = {}
        self.choices: dict[str, dict[str, list[str]]] = {}
        self.enabled: dict[str, bool] = {}
        self.action = ""
        self.selecting: str | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        match tag:
            case "form":
                self.action = attributes["action"]
                self.fields[self.action] = {}
                self.choices[self.action] = {}
            case "input" if attributes.get("type") in ("radio", "checkbox"):
                self.choose(attributes["name"], attributes.get("value", "on"), "checked" in attributes)
            case "input" if "name" in attributes:
                self.fields[self.action][attributes["name"]] = attributes.get("value") or ""
            case "textarea" if "name" in attributes:
                self.fields[self.action][attributes["name"]] = ""
            case "select":
                self.selecting = attributes["name"]
            case "option" if self.selecting:
                self.choose(self.selecting, attributes["value"], "selected" in attributes)
            case "button":
                self.enabled[self.action] = "disabled" not in attributes

    def handle_endtag(self, tag):
        if tag == "select":
            self.selecting = None

    def choose(self, name: str, value: str, chosen: bool) -> None:
        self.choices[self.action].setdefault(name, []).append(value)
        if chosen:
            self.fields[self.action][name] = value


def console(estate) -> str:
    """Where people open the console: passkeys are for names, so every link for people has one."""
    return estate.remit.control.replace("http://127.0.0.1:", "http://localhost:")


def browser(estate) -> httpx.Client:
    return httpx.Client(base_url=console(estate), verify=estate.remit.verify)


def signed_in(estate, name: str) -> httpx.Client:
    http = browser(estate)
    page = http.get("/sign-in", params={"code": estate.remit.sign_in_code(name)})
    fields = Forms(page.text).fields["/sign-in"]
    answer = http.post("/sign-in", data=fields)
    # Whoever has only a link is led to their first passkey.
    assert (answer.status_code, answer.headers["location"]) == (303, "/passkeys"), answer.text
    return http


class Consent:
    """The page that a person is led to by an authorization request, and what they answer there."""

    def __init__(self, estate, authorize: str, by: str):
        self.http = signed_in(estate, by)
        answer = self.http.get(authorize)
        assert answer.status_code in (302, 303), (answer.status_code, answer.text)
        self.location = answer.headers["location"]
        self.page = self.http.get(self.location)

    @property
    def form(self) -> tuple[str, dict[str, str]]:
        forms = Forms(self.page.text)
        found = [(action, fields) for action, fields in forms.fields.items() if urlsplit(action).path == CONSENT]
        assert len(found) == 1, self.page.text
        return found[0]

    def answer(self, **said: str) -> httpx.Response:
        action, fields = self.form
        return self.http.post(action, data=fields | said)

    def allow(self, agent: str, purpose: str = "ticket 17", **said: str) -> str:
        """The person says yes; gives the address that their browser is sent back to."""
        return self.sent_back(self.answer(decision="allow", agent=agent, purpose=purpose, **said))

    def deny(self) -> str:
        return self.sent_back(self.answer(decision="deny"))

    @staticmethod
    def sent_back(answer: httpx.Response) -> str:
        assert answer.status_code in (302, 303), (answer.status_code, answer.text)
        return answer.headers["location"]


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address. None may be there twice."""
    parameters = parse_qs(urlsplit(url).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in parameters.values()), url
    return {name: values[0] for name, values in parameters.items()}
