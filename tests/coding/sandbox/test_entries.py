"""What comes from a sandbox is checked before it is anything."""

from __future__ import annotations

import json
import os

import pytest

from mini_agent.coding.sandbox.entries import (
    LENGTH_BYTES,
    Entry,
    EntryFacts,
    decode_bundle,
    encode_rounds,
    is_safe_path,
    parse_report,
    split_parts,
)
from mini_agent.errors import SandboxError

FILE = EntryFacts("a.txt", "file", False, 5, 3)


def bundle(*entries: object, content: bytes = b"") -> bytes:
    header = json.dumps(entries).encode()
    return len(header).to_bytes(LENGTH_BYTES, "big") + header + content


def test_a_bundle_comes_back_as_it_was_sent() -> None:
    odd = os.fsdecode(b"caf\xe9")
    facts = [FILE, EntryFacts(odd, "link", target="a.txt"), EntryFacts("b", "gone")]
    sent = [Entry(facts[0], b"abc"), Entry(facts[1]), Entry(facts[2])]
    (whole,) = encode_rounds(sent)
    assert decode_bundle(b"".join(split_parts(whole)), facts) == tuple(sent)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\xff" * 20,
        bundle(["a.txt", "file", False, 5, 3, ""], content=b"ab"),
        bundle(["a.txt", "file", False, 5, 3, ""], content=b"abcd"),
        bundle(["b.txt", "file", False, 5, 3, ""], content=b"abc"),
        bundle(["a.txt", "link", False, 5, 3, "/etc"], content=b"abc"),
        bundle(["a.txt", "file", False, 5, -3, ""], content=b"abc"),
        bundle(["a.txt", "file", False, 5, 10**15, ""], content=b"abc"),
        bundle(["a.txt", "file", False, 5, 3, ""], ["b", "gone", False, 0, 0, ""], content=b"abc"),
        bundle(content=b""),
    ],
)
def test_other_files_than_were_asked_for_are_refused(sent: bytes) -> None:
    with pytest.raises(SandboxError):
        decode_bundle(sent, [FILE])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "[" * 100_000,
        '{"cwd": 1, "lost": false, "changes": []}',
        '{"cwd": "", "lost": 0, "changes": []}',
        '{"cwd": "", "lost": false, "changes": {}}',
        '{"cwd": "", "lost": false, "changes": [], "more": 1}',
        '{"cwd": "", "lost": false, "changes": [["a", "file", false, 0, -1, ""]]}',
        '{"cwd": "", "lost": false, "changes": [["a", "device", false, 0, 1, ""]]}',
        '{"cwd": "", "lost": false, "changes": [["a", "file", 1, 0, 1, ""]]}',
        '{"cwd": "", "lost": false, "changes": [["a", "file", false, 0, 1]]}',
        '{"cwd": "", "lost": false, "changes": [["\\ud800", "file", false, 0, 1, ""]]}',
    ],
)
def test_a_malformed_report_is_an_error(text: str) -> None:
    with pytest.raises(SandboxError):
        parse_report(text)


@pytest.mark.parametrize("path", ["a", ".a", "..a", "a/...", "a b/\n", "-x/~y", "a/.b", "é" * 127])
def test_any_name_that_a_file_can_have_is_a_path(path: str) -> None:
    assert is_safe_path(path)


@pytest.mark.parametrize(
    "path", ["", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "./a", "a/./b", "\0", "é" * 128]
)
def test_any_other_is_none(path: str) -> None:
    assert not is_safe_path(path)
