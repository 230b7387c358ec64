#!/usr/bin/env python3
"""Verifies a ledger with software that is not ours.

    log_verifiers.py DIRECTORY --origin ORIGIN --vkey VKEY [--sample 200]
    log_verifiers.py --proof FILE [--proof FILE ...] [--root BASE64]

DIRECTORY holds `checkpoint` and `tile/...` (C2SP tlog-tiles). The package `tlog-scales` (Python 3.11 or newer) verifies
the checkpoint's signature, computes the root from the tiles and checks inclusion of entries; then every tile and
bundle is hashed again from the entries with the standard library alone, so that any changed byte is found and named.

A proof FILE is JSON: {"entry", "index", "size", "root", "proof": [base64, ...]}. It is verified with the standard
library alone. What a proof file says of its root is only as good as where it came from: compare it by --root.

Prints one line for each check. Exit status: 0 all hold, 1 one does not, 2 wrong usage, 3 tlog-scales is missing.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path

WIDTH = 256
HASH_BYTES = 32


class Fault(Exception):
    """A check that does not hold."""


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_root(hashes):
    """RFC 6962 section 2.1: a node without a sibling stands for itself in the row above."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        above = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = above + hashes[len(above) * 2 :]
    return hashes[0]


def root_by_proof(leaf, index, size, proof):
    """RFC 9162 section 2.1.3.2."""
    if not 0 <= index < size:
        raise Fault(f"a tree of {size} entries has no entry {index}")
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise Fault("the proof has too many hashes")
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise Fault("the proof has too few hashes")
    return result


def decode_hash(text):
    data = base64.b64decode(text, validate=True)
    if len(data) != HASH_BYTES:
        raise Fault(f"a hash has {HASH_BYTES} bytes, not {len(data)}")
    return data


def verify_proof_file(path, root):
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    stated = decode_hash(document["root"])
    if root is not None and stated != decode_hash(root):
        raise Fault("the file is about another root")
    proof = [decode_hash(text) for text in document["proof"]]
    leaf = leaf_hash(document["entry"].encode("utf-8"))
    if root_by_proof(leaf, document["index"], document["size"], proof) != stated:
        raise Fault("the proof leads to another root")
    return f"entry {document['index']} of {document['size']}, {len(proof)} hashes"


def tile_path(row, index, width):
    """The path of a tile; `row` is a level or `entries`."""
    groups = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        groups.insert(0, f"x{index % 1000:03d}")
    suffix = f".p/{width}" if width < WIDTH else ""
    return "tile/" + "/".join([str(row), *groups]) + suffix


def read_tile(directory, row, index, width):
    for candidate in (width, WIDTH):
        path = tile_path(row, index, candidate)
        if (directory / path).is_file():
            return path, candidate, (directory / path).read_bytes()
    raise Fault(f"{tile_path(row, index, width)} is missing")


def split_bundle(path, data):
    entries, place = [], 0
    while place < len(data):
        end = place + 2 + int.from_bytes(data[place : place + 2], "big")
        if place + 2 > len(data) or end > len(data):
            raise Fault(f"{path} is cut off")
        entries.append(data[place + 2 : end])
        place = end
    return entries


def widths(count):
    """The width of each tile that `count` hashes or entries fill."""
    return [min(WIDTH, count - start) for start in range(0, count, WIDTH)]


def read_entries(directory, size):
    entries = []
    for index, width in enumerate(widths(size)):
        path, held, data = read_tile(directory, "entries", index, width)
        bundle = split_bundle(path, data)
        if len(bundle) != held:
            raise Fault(f"{path} holds {len(bundle)} entries where {held} should be")
        entries.extend(bundle[:width])
    return entries


def verify_every_tile(directory, size, root):
    """Hashes everything again from the entries and holds each tile against it."""
    entries = read_entries(directory, size)
    row, level, tiles = [leaf_hash(entry) for entry in entries], 0, 0
    if tree_root(row) != root:
        faults = ["the entries lead to another root than the checkpoint's"]
    else:
        faults = []
    while row:
        for index, width in enumerate(widths(len(row))):
            path, held, data = read_tile(directory, level, index, width)
            tiles += 1
            if len(data) != held * HASH_BYTES:
                faults.append(f"{path} holds {len(data)} bytes where {held * HASH_BYTES} should be")
            for place in range(width):
                expected = row[index * WIDTH + place]
                if data[place * HASH_BYTES : (place + 1) * HASH_BYTES] != expected:
                    first = (index * WIDTH + place) * WIDTH**level
                    faults.append(f"{path}: hash {place}, over entries from {first}, is not that of the entries")
                    break
        full = len(row) // WIDTH
        row = [tree_root(row[index * WIDTH : (index + 1) * WIDTH]) for index in range(full)]
        level += 1
    if faults:
        raise Fault("; ".join(faults))
    return f"{len(entries)} entries, {tiles} tiles"


def sampled(size, count):
    """Indexes spread over the log, the first and last among them."""
    if size <= count:
        return list(range(size))
    return sorted({place * (size - 1) // (count - 1) for place in range(count)})


def verify_directory(directory, origin, vkey, count, report):
    from tlog_scales.backend import LocalBackend
    from tlog_scales.reader import TilesReader
    from tlog_scales.signing import Vkey

    reader = TilesReader(LocalBackend(directory))
    checkpoint = reader.get_checkpoint()

    def signature():
        if checkpoint.origin != origin:
            raise Fault(f"the checkpoint is from {checkpoint.origin}, not from {origin}")
        checkpoint.verify(Vkey.from_string(vkey))
        return f"{origin}, {checkpoint.size} entries"

    def root():
        if reader.calculate_root_hash() != checkpoint.root_hash:
            raise Fault("the tiles lead to another root than the checkpoint's")
        return checkpoint.root_hash.hex()

    def inclusion():
        indexes = sampled(checkpoint.size, count)
        for index in indexes:
            try:
                proof = reader.get_inclusion_proof(index, checkpoint.size)
                proof.check(leaf_hash(reader.get_entry(index)), checkpoint.root_hash)
            except Exception as error:
                raise Fault(f"entry {index}: {error}") from error
        return f"{len(indexes)} of {checkpoint.size} entries"

    report("checkpoint signature (tlog-scales)", signature)
    report("root from tiles (tlog-scales)", root)
    report("inclusion (tlog-scales)", inclusion)
    report("every entry and tile (hashlib)", lambda: verify_every_tile(directory, checkpoint.size, checkpoint.root_hash))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", nargs="?", type=Path, help="the log: checkpoint and tile/...")
    parser.add_argument("--origin", help="the log's name, as its checkpoint must have it")
    parser.add_argument("--vkey", help="the log's verifier key: name+id+key")
    parser.add_argument("--sample", type=int, default=200, help="how many entries to prove (default 200)")
    parser.add_argument("--proof", action="append", default=[], help="an inclusion proof as JSON")
    parser.add_argument("--root", help="the root that proof files must be about, in base64")
    arguments = parser.parse_args()
    if arguments.directory is None and not arguments.proof:
        parser.error("name a directory or a --proof file")
    if arguments.directory is not None and not (arguments.origin and arguments.vkey):
        parser.error("a directory needs --origin and --vkey")
    if arguments.sample < 2:
        parser.error("--sample is at least 2")

    failed = []

    def report(name, check):
        try:
            print(f"ok    {name}: {check()}")
        except Exception as error:  # an outside verifier raises what it likes; all of it means "does not hold"
            print(f"FAIL  {name}: {error or type(error).__name__}")
            failed.append(name)

    if arguments.directory is not None:
        try:
            import tlog_scales  # noqa: F401
        except ImportError:
            print("tlog-scales is missing; install it with `pip install tlog-scales==0.0.3`", file=sys.stderr)
            return 3
        try:
            verify_directory(arguments.directory, arguments.origin, arguments.vkey, arguments.sample, report)
        except Exception as error:
            print(f"FAIL  checkpoint: {error or type(error).__name__}")
            failed.append("checkpoint")
    for path in arguments.proof:
        report(f"inclusion proof {path} (hashlib)", lambda path=path: verify_proof_file(path, arguments.root))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
