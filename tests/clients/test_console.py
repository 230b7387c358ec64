"""The console with a plain HTTP client: what a browser without scripts would send."""

import pytest

from browser import Forms, browser, signed_in
from driving import NEW
from upstreams import wait_until

REFUND = {"order_id": "O-5011", "amount_cents": 5_301, "reason": "<b>dead</b> pixels"}


@pytest.fixture
def asked(client, estate):
    """A held call: its client, its approval's address and its task."""
    task = estate.task("a refund from the console")
    driver = client("python", NEW, url=estate.remit.mcp("desk"), token=task.token)
    driver.send({"call": "refund_order", "arguments": REFUND})
    return driver, f"/approvals/{estate.question(task)}"


def test_nobody_is_sent_to_sign_in(estate):
    answer = browser(estate).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    answer = browser(estate).get("/approvals")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fapprovals")


def test_a_code_signs_in_once_and_looking_does_not_use_it_up(estate):
    code = estate.remit.sign_in_code("ben")
    for _ in range(2):
        assert browser(estate).get("/sign-in", params={"code": code}).status_code == 200
    http = browser(estate)
    answer = http.post("/sign-in", data={"code": code, "next": "/approvals"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/approvals")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    page = http.get("/")
    assert page.status_code == 200 and "ben" in page.text
    again = browser(estate).post("/sign-in", data={"code": code})
    assert again.status_code in (401, 403) and "set-cookie" not in again.headers


def test_a_person_approves_on_the_page(estate, asked):
    driver, address = asked
    http = signed_in(estate, "ben")
    assert address in http.get("/approvals").text
    page = http.get(address)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "5301" in page.text and "O-5011" in page.text and "somebody who leads support looks at this first" in page.text
    # What an agent writes stays text.
    assert "&lt;b&gt;dead&lt;/b&gt;" in page.text and "<b>dead" not in page.text
    forms = Forms(page.text)
    yes = f"{address}/approve"
    assert forms.enabled[yes]
    for spoilt in ({"form_token": ""}, {"form_token": "A" * 43}, {"digest": "0" * 64}):
        answer = http.post(yes, data=forms.fields[yes] | spoilt)
        assert 400 <= answer.status_code < 500, (spoilt, answer.status_code)
    foreign = http.post(yes, data=forms.fields[yes], headers={"origin": "https://elsewhere.example"})
    assert 400 <= foreign.status_code < 500
    assert "Approve exactly this" in http.get(address).text
    answer = http.post(yes, data=forms.fields[yes] | {"note": "photo seen"})
    assert (answer.status_code, answer.headers["location"]) == (303, address)
    assert driver.read()["is_error"] is False
    wait_until(lambda: "photo seen" in http.get(address).text, 5, "the page shows the answer")
    assert f"{address}/approve" not in Forms(http.get(address).text).fields


def test_a_person_denies_on_the_page(estate, asked):
    driver, address = asked
    http = signed_in(estate, "ben")
    no = f"{address}/deny"
    answer = http.post(no, data=Forms(http.get(address).text).fields[no] | {"note": "no photo"})
    assert answer.status_code == 303
    assert "no photo" in driver.read()["result"]["content"][0]["text"]


def test_who_may_not_answer_sees_why(estate, asked):
    driver, address = asked
    http = signed_in(estate, "ana")
    page = http.get(address)
    forms = Forms(page.text)
    assert forms.enabled[f"{address}/approve"] is False
    assert "you started this task" in page.text
    assert http.post(f"{address}/approve", data=forms.fields[f"{address}/approve"]).status_code == 403
    estate.deny(address.rsplit("/", 1)[1], "")
    driver.read()


def test_every_page_answers(estate):
    http = signed_in(estate, "mia")
    for address in ("/", "/approvals", "/approvals?show=answered", "/agents", "/agents/support", "/records/0", "/assets/console.css"):
        assert http.get(address).status_code == 200, address
    assert http.get("/records/999999999").status_code == 404
    out = Forms(http.get("/").text).fields["/sign-out"]
    assert http.post("/sign-out", data=out).headers["location"] == "/sign-in"
    assert http.get("/").status_code == 303
