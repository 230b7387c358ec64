"""People sign in at an OpenID Connect provider of others, and are somebody here only if an administrator said so."""

import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from browser import query_of
from service import Remit, free_port

PROVIDER = Path(__file__).parent / "oidc_provider.mjs"
SECRET = "s: %&+hush"
CALLBACK = "/sign-in/oidc/callback"


@contextmanager
def provider(callback: str):
    """The address of a provider that sends people back to `callback`."""
    with subprocess.Popen(["node", str(PROVIDER), callback], stdout=subprocess.PIPE, text=True, cwd=PROVIDER.parent) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Realm:
    """A realm whose people sign in at a provider. `anna` is linked to her account there, `bert` is not."""

    def __init__(self, directory: Path, public: bool):
        self.remit = Remit(directory, stays=True, variables={"IDP_SECRET": SECRET})
        port = next(line.rsplit(":", 1)[1].strip('"') for line in self.remit.config.read_text().splitlines()[::-1] if "listen" in line)
        self.home = f"http://localhost:{port}"
        self.public = public

    @contextmanager
    def up(self):
        with provider(self.home + CALLBACK) as issuer:
            self.issuer = issuer
            client = 'client_id = "public"\n' if self.public else 'client_id = "remit"\nclient_secret_variable = "IDP_SECRET"\n'
            with self.remit.config.open("a") as config:
                config.write(f'[sign_in.oidc]\nname = "Acme"\nissuer = "{issuer}"\n{client}')
            self.remit.start()
            try:
                for name in ("anna", "bert"):
                    self.remit.cli("person", "add", name)
                self.remit.cli("person", "link", "anna", "--issuer", issuer, "--subject", "anna")
                yield self
            finally:
                self.remit.stop()

    def browser(self, account: str = "anna") -> httpx.Client:
        """A browser of somebody who is known at the provider as `account`."""
        http = httpx.Client(base_url=self.home)
        assert http.get(f"{self.issuer}/as/{account}").text == account
        return http



def led(http: httpx.Client, address: str) -> str:
    """Goes where the provider leads, up to the answer that it sends back here."""
    while CALLBACK not in address:
        answer = http.get(address)
        assert answer.status_code in (302, 303), (address, answer.status_code, answer.text)
        address = str(answer.url.join(answer.headers["location"]))
    return address


def begun(http: httpx.Client, next: str = "/agents") -> str:
    answer = http.get("/sign-in/oidc", params={"next": next})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.fixture(scope="module", params=["secret", "public"])
def realm(request, tmp_path_factory):
    with Realm(tmp_path_factory.mktemp("oidc"), request.param == "public").up() as realm:
        yield realm


def test_from_the_button_to_a_page(realm):
    http = realm.browser()
    page = http.get("/agents")
    assert page.status_code == 303
    page = http.get(page.headers["location"])
    assert 'href="/sign-in/oidc?next=%2Fagents"' in page.text and "Sign in with Acme" in page.text, page.text
    address = begun(http)
    asked = query_of(address)
    assert (asked["scope"], asked["code_challenge_method"], asked["redirect_uri"]) == ("openid", "S256", realm.home + CALLBACK)
    answer = http.get(led(http, address))
    assert answer.status_code == 200 and 'url=/agents"' in answer.text, answer.text
    session = next(cookie for cookie in answer.headers.get_list("set-cookie") if cookie.startswith("remit_session="))
    assert "HttpOnly" in session and "SameSite=Strict" in session
    assert http.get("/agents").status_code == 200
    # The record says who vouched, and nothing that was secret on the way.
    opened = realm.remit.cli("ledger", "query", "--kind", "SessionOpened")["items"][0]
    assert realm.issuer in str(opened) and "open_id_connect" in str(opened), opened
    assert SECRET not in realm.remit.log.read_text()


def test_who_is_linked_to_nobody_is_nobody(realm):
    http = realm.browser("bert")
    answer = http.get(led(http, begun(http)))
    assert answer.status_code == 403 and "remit_session" not in str(answer.headers)
    assert "remit person link NAME" in answer.text and realm.issuer in answer.text, answer.text
    # Nor is an account whose name is that of somebody here.
    assert http.get("/agents").status_code == 303


def test_a_no_at_the_provider(realm):
    http = realm.browser("nobody")
    answer = http.get(led(http, begun(http)))
    assert answer.status_code == 403 and "access_denied" in answer.text and "not today" not in answer.text, answer.text


def test_an_answer_is_good_once_and_in_one_browser(realm):
    http, other = realm.browser(), realm.browser()
    answer = led(http, begun(http))
    begun(other)
    for stranger in (httpx.Client(base_url=realm.home), other):
        refused = stranger.get(answer)
        assert refused.status_code == 403 and "remit_session" not in str(refused.headers), refused.text
    kept = http.cookies["remit_sign_in"]
    assert http.get(answer).status_code == 200
    again = httpx.get(answer, cookies={"remit_sign_in": kept})
    assert again.status_code == 403 and "used already" in again.text, again.text


def test_a_code_of_somebody_else_is_not_taken(realm):
    """Injected into a sign-in of ours: PKCE and the nonce bind it to theirs."""
    theirs, ours = realm.browser(), realm.browser()
    stolen = query_of(led(theirs, begun(theirs)))["code"]
    answer = led(ours, begun(ours))
    refused = ours.get(answer.replace(query_of(answer)["code"], stolen))
    assert refused.status_code == 403 and "invalid_grant" in refused.text, refused.text
    assert "remit_session" not in ours.cookies


def test_an_answer_of_another_provider_is_not_taken(realm):
    http = realm.browser()
    answer = led(http, begun(http))
    assert query_of(answer)["iss"] == realm.issuer
    parts = urlsplit(answer)
    for query in (parts.query.replace("iss=", "iss=https%3A%2F%2Fevil.example&was="), parts.query.replace("iss=", "was=")):
        refused = http.get(parts._replace(query=query).geturl())
        assert refused.status_code == 403 and "another identity provider" in refused.text, refused.text


def test_nobody_is_led_away(realm):
    http = realm.browser()
    answer = http.get(led(http, begun(http, "//evil.example/")))
    assert answer.status_code == 200 and "evil.example" not in answer.text


def test_a_sign_in_begins_where_it_ends(realm):
    """On this machine the console has a name; whoever comes by the number is led there first."""
    http = httpx.Client(base_url=realm.remit.control)
    answer = http.get("/sign-in/oidc", params={"next": "/agents"})
    assert answer.headers["location"] == f"{realm.home}/sign-in?next=%2Fagents"


def test_a_provider_that_is_gone_says_so(tmp_path):
    realm = Realm(tmp_path / "gone", public=True)
    with realm.up():
        with realm.remit.config.open() as config:
            text = config.read()
        realm.remit.stop()
        realm.remit.config.write_text(text.replace(realm.issuer, f"http://127.0.0.1:{free_port()}"))
        realm.remit.start()
        answer = httpx.get(f"{realm.home}/sign-in/oidc")
        assert answer.status_code == 503 and "cannot be reached" in answer.text, answer.text


def test_a_configuration_that_could_be_forged_is_refused(tmp_path):
    remit = Remit(tmp_path / "plain", more='[sign_in.oidc]\nissuer = "http://idp.example"\nclient_id = "remit"\n')
    with pytest.raises(RuntimeError, match="anybody on the way could change"):
        remit.start()
