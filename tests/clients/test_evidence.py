"""What is left behind, looked at with software of others: tiles, checkpoint, proofs; and evidence packs, offline."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from driving import NEW, Driver, refusal_of
from service import Refused
from upstreams import wait_until

VERIFIERS = str(Path(__file__).resolve().parent / "log_verifiers.py")
SETTLE_SECONDS_MAX = 10


def verify(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, VERIFIERS, *arguments], capture_output=True, text=True, timeout=60)


def checkpoint_of(estate) -> tuple[int, str]:
    """Size and root of the published checkpoint."""
    lines = (estate.remit.data / "ledger" / "checkpoint").read_text().splitlines()
    return int(lines[1]), lines[2]


@pytest.fixture(scope="module")
def seqs(estate):
    """Places of records about an agent that was allowed something and denied something else; the tiles hold them."""
    task = estate.task("leaves evidence")
    driver = Driver("python", NEW, url=estate.remit.mcp("desk"), token=task.token)
    assert driver.call("show_order", order_id="O-5003")["is_error"] is False
    denied = refusal_of(driver.call("close_account", customer_id="C-1002"))["decision_id"]
    driver.close()
    estate.end(task)
    ended = estate.records(task, "TaskEnded", task.id)
    found = [*estate.records(task, "ActionAllowed", task.id), *estate.records(task, "ActionDenied", denied), *ended]
    wait_until(lambda: checkpoint_of(estate)[0] > ended[0]["seq"], SETTLE_SECONDS_MAX, "the tiles are published")
    return [record["seq"] for record in found]


def test_outside_verifiers_accept_the_tiles(estate, seqs):
    realm = json.loads((estate.remit.data / "realm.json").read_text())
    place = [str(estate.remit.data / "ledger"), "--origin", realm["origin"]]
    done = verify(*place, "--vkey", realm["log_key"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == 4, done.stdout
    name, number, key = realm["log_key"].split("+", 2)
    other_key = "+".join([name, number, key[:-4] + ("AAAA" if key[-4:] != "AAAA" else "BBBB")])
    assert verify(*place, "--vkey", other_key).returncode == 1


def test_proofs_verify_without_our_code(estate, seqs, tmp_path):
    size, root = checkpoint_of(estate)
    for seq in (0, *seqs):
        proof = tmp_path / f"{seq}.json"
        proved = estate.remit.cli("ledger", "prove", str(seq))
        assert (proved["index"], proved["size"], proved["root"]) == (seq, size, root)
        proof.write_text(json.dumps(proved))
        done = verify("--proof", str(proof), "--root", root)
        assert done.returncode == 0, done.stdout
        proof.write_text(json.dumps(proved | {"entry": proved["entry"].replace('"v":1', '"v":2')}))
        assert verify("--proof", str(proof), "--root", root).returncode == 1


def test_the_ledger_verifies_while_the_server_runs(estate, seqs):
    report = estate.remit.cli("ledger", "verify")
    assert (report["faults"], report["entries"] > seqs[-1]) == ([], True)


def test_a_pack_verifies_offline_and_a_changed_byte_fails(estate, seqs, tmp_path):
    realm = json.loads((estate.remit.data / "realm.json").read_text())
    pack = tmp_path / "support.remit.json"
    estate.remit.cli(
        "evidence", "export", "--agent", "support", "--contents", "--reason", "an audit",
        "--output", str(pack), by="mia",
    )
    report = estate.remit.cli("verify", str(pack), "--key", realm["log_key"])
    assert report["trusted"] is True
    assert report["allowed"] >= 1 and report["denied"] >= 1
    whole = pack.read_bytes()
    # In a record, in a proof, in an argument that was kept, and in the checkpoint.
    for before, after in [
        (b"leaves evidence", b"leaves evidencE"),
        (b'"index":1,', b'"index":2,'),
        (b"O-5003", b"O-5004"),
        (realm["origin"].encode() + b"\\n", realm["origin"].encode() + b"\\n1"),
    ]:
        assert before in whole, before
        changed = tmp_path / "changed.remit.json"
        changed.write_bytes(whole.replace(before, after, 1))
        with pytest.raises(Refused) as refused:
            estate.remit.cli("verify", str(changed), "--key", realm["log_key"])
        assert (refused.value.status, refused.value.code) == (1, "pack_faulty")


def test_a_pack_cannot_be_exported_by_anybody(estate, seqs, tmp_path):
    with pytest.raises(Refused) as refused:
        estate.remit.cli("evidence", "export", "--output", str(tmp_path / "pack.json"), by="ben")
    assert refused.value.status == 1
    assert not (tmp_path / "pack.json").exists()


def test_content_is_read_by_who_may_for_a_reason_on_record(estate, seqs):
    allowed = str(seqs[0])
    read = estate.remit.cli("ledger", "read", allowed, "--reason", "complaint 71", by="mia")
    assert read["items"][0]["what"] == "arguments" and read["items"][0]["value"] == {"order_id": "O-5003"}, read
    newest = estate.remit.cli("ledger", "query", "--kind", "ContentRead", "--limit", "1", by="mia")["items"][0]
    assert newest["record"]["event"]["reason"] == "complaint 71", newest
    with pytest.raises(Refused) as refused:
        estate.remit.cli("ledger", "read", allowed, "--reason", "curious")
    assert refused.value.code == "not_permitted", "administering the realm does not open what is said in it"
    with pytest.raises(Refused) as refused:
        estate.remit.cli("ledger", "read", "0", "--reason", "complaint 71", by="mia")
    assert refused.value.code == "not_found"
