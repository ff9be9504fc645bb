"""What stands between the dashes at the top of a Markdown file is YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.coding.front_matter import parse_document, parse_lenient
from mini_agent.errors import BadRequest

HERE = Path("agents/reader.md")


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        ("description: reads files", {"description": "reads files"}),
        ("description: 'a: b'  # why", {"description": "a: b"}),
        ("description: >\n  first\n  second", {"description": "first second"}),
        ("tools:\n  - Read\n  - Grep", {"tools": "Read, Grep"}),
        ("tools: [Read, 'Grep']", {"tools": "Read, Grep"}),
        ("model:\nbackground: true", {"model": "", "background": "true"}),
        ("name: a\nmetadata:\n  version: 1", {"name": "a"}),
        ("", {}),
    ],
)
def test_keys_are_yaml(keys: str, read: dict[str, str]) -> None:
    document = parse_document(HERE, f"---\n{keys}\n---\n\nYou read.\n")
    assert (document.keys, document.text) == (read, "You read.")


def test_names_may_stand_in_a_list_or_apart_by_commas() -> None:
    for keys in ("tools: Read, Grep", "tools: [Read, Grep]", "tools:\n- Read\n- Grep"):
        assert parse_document(HERE, f"---\n{keys}\n---\n").list_values("tools") == ("Read", "Grep")


def test_a_byte_order_mark_is_none_of_the_text() -> None:
    document = parse_document(HERE, "\ufeff---\nname: a\n---\nYou read.")
    assert (document.name, document.text) == ("a", "You read.")
    assert parse_document(HERE, "\ufeffYou read.").text == "You read."


def test_without_an_end_of_the_keys_all_of_it_is_text() -> None:
    document = parse_document(HERE, "---\nname: a\n")
    assert (document.keys, document.text) == ({}, "---\nname: a")


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ("description: when: asked", "mapping values are not allowed here"),
        ("argument-hint: [a] [b]", "expected <block end>"),
        ("tools: *", "while scanning an alias"),
        ("- name", "not a list but `key: value`"),
        ("a: !!python/name:os.system x", "could not determine a constructor"),
        ("[" * 3000, "recursion"),
    ],
)
def test_what_is_no_yaml_names_the_file_and_the_place(keys: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why) as refused:
        parse_document(HERE, f"---\n{keys}\n---\nYou read.")
    assert str(refused.value).startswith(f"the keys of {HERE} cannot be read: ")
    assert "in quotes" in refused.value.hint


@pytest.mark.parametrize(
    "keys",
    [
        "tools: Read\ntools: '*'",
        "permissionMode: plan\npermissionMode: default",
        "disallowedTools: Bash\n'disallowedTools': []",
        "description: a: b\ndisallowedTools: Bash\ndisallowedTools: []",
    ],
)
def test_a_key_that_is_there_twice_is_refused(keys: str) -> None:
    with pytest.raises(BadRequest, match="is there twice"):
        parse_lenient(HERE, f"---\n{keys}\n---\nYou read.\n")
