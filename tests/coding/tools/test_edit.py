"""Writing and editing: what was read may be changed, and nothing else about it changes."""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from mini_agent.coding.tools.context import KnownFiles
from mini_agent.coding.tools.edit import Replacement
from mini_agent.coding.tools.text_file import TextFile
from tests.coding.tools.conftest import ToolFixture


async def test_an_edit_shows_where_it_was_made(tools: ToolFixture) -> None:
    path = await tools.read_file("a.py", "".join(f"line {n}\n" for n in range(1, 21)))
    told = await tools.text("Edit", file_path=path, old_string="line 10\n", new_string="ten\n")
    assert told == (
        f"The file {path} has been updated. "
        "Here's the result of running `cat -n` on a snippet of the edited file:\n"
        + "".join(f"{n:5}→{'ten' if n == 10 else f'line {n}'}\n" for n in range(6, 16))
    )


async def test_an_edit_right_after_an_edit_works(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "one two three\n")
    for old, new in (("one", "1"), ("two", "2"), ("three", "3")):
        await tools.text("Edit", file_path=path, old_string=old, new_string=new)
    assert tools.content("a.txt") == b"1 2 3\n"


async def test_edits_of_one_file_side_by_side_are_all_made(tools: ToolFixture) -> None:
    names = [f"<{number}>" for number in range(20)]
    path = await tools.read_file("a.txt", " ".join(names))
    async with asyncio.TaskGroup() as edits:
        for name in names:
            edits.create_task(
                tools.text("Edit", file_path=path, old_string=name, new_string=name[1:-1])
            )
    assert tools.content("a.txt").decode() == " ".join(str(number) for number in range(20))


async def test_of_what_two_agents_edit_side_by_side_nothing_is_lost(tools: ToolFixture) -> None:
    names = [f"<{number}>" for number in range(20)]
    path = await tools.read_file("a.txt", " ".join(names))
    other = ToolFixture(replace(tools.context, files=KnownFiles()))
    await other.text("Read", file_path=path)
    async with asyncio.TaskGroup() as edits:
        tried = {
            name: edits.create_task(
                agent.call("Edit", file_path=path, old_string=name, new_string=name[1:-1])
            )
            for agent, name in zip([tools, other] * 10, names, strict=True)
        }
    made = [name[1:-1] if tried[name].result().ok else name for name in names]
    assert tools.content("a.txt").decode() == " ".join(made)


async def test_a_file_has_to_be_read_first_and_again_when_others_change_it(
    tools: ToolFixture,
) -> None:
    path = tools.file("a.txt", "one")
    edit = {"file_path": path, "old_string": "one", "new_string": "two"}
    assert "has not been read yet" in await tools.error("Edit", **edit)
    assert "has not been read yet" in await tools.error("Write", file_path=path, content="x")
    await tools.text("Read", file_path=path)
    tools.file("a.txt", "one by the user")
    assert "changed since it was read" in await tools.error("Edit", **edit)
    await tools.text("Read", file_path=path)
    await tools.text("Edit", **edit)
    assert tools.content("a.txt") == b"two by the user"


async def test_what_was_written_need_not_be_read(tools: ToolFixture) -> None:
    path = str(tools.folder / "new" / "a.txt")
    told = await tools.text("Write", file_path=path, content="one\n")
    assert told == f"File created successfully at: {path}"
    updated = await tools.text("Write", file_path=path, content="two\nthree\n")
    assert updated.startswith(f"The file {path} has been updated.\nHere's the result")
    assert updated.endswith("    1→two\n    2→three\n")


async def test_a_text_that_is_there_twice_needs_more_words_or_replace_all(
    tools: ToolFixture,
) -> None:
    path = await tools.read_file("a.txt", "x and x")
    edit = {"file_path": path, "old_string": "x", "new_string": "xx"}
    assert (await tools.error("Edit", **edit)).startswith("Found 2 matches of the string")
    told = await tools.text("Edit", **edit, replace_all=True)
    assert told.endswith("All occurrences of 'x' were successfully replaced with 'xx'.\n")
    assert tools.content("a.txt") == b"xx and xx"


async def test_an_edit_that_cannot_be_made_says_why(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "one")
    same = await tools.error("Edit", file_path=path, old_string="one", new_string="one")
    assert same == "No changes to make: old_string and new_string are exactly the same."
    none = await tools.error("Edit", file_path=path, old_string="two", new_string="")
    assert none == "String to replace not found in file.\nString: two\n"
    gone = await tools.error("Edit", file_path="b.txt", old_string="a", new_string="b")
    assert gone == "File does not exist."
    empty = await tools.error("Edit", file_path=path, old_string="", new_string="b")
    assert "old_string is empty, and the file is not" in empty


async def test_nothing_to_replace_in_no_file_makes_one(tools: ToolFixture) -> None:
    told = await tools.text("Edit", file_path="new.txt", old_string="", new_string="hi\n")
    assert told == "File created successfully at: new.txt"
    assert tools.content("new.txt") == b"hi\n"


async def test_several_edits_are_made_in_their_order(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "x = 1\ny = 2\n")
    edits: list[JsonValue] = [
        {"old_string": "x", "new_string": "x2"},
        {"old_string": "y = 2", "new_string": "z = 3"},
    ]
    told = await tools.text("MultiEdit", file_path=path, edits=edits)
    assert told == (
        f'Applied 2 edits to {path}:\n1. Replaced "x" with "x2"\n2. Replaced "y = 2" with "z = 3"\n'
    )
    assert tools.content("a.txt") == b"x2 = 1\nz = 3\n"


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"old_string": "nothing", "new_string": "x"}, "String to replace not found in file."),
        ({"old_string": "one", "new_string": "x"}, "overlaps with an earlier edit"),
        ({"old_string": "n", "new_string": "x"}, "substring of a new_string from a previous"),
        ({"old_string": "", "new_string": "x"}, "Error: old_string cannot be empty."),
        ({"old_string": "a", "new_string": "a"}, "No changes to make"),
    ],
)
async def test_of_several_edits_all_are_made_or_none(
    tools: ToolFixture, second: dict[str, str], why: str
) -> None:
    path = await tools.read_file("a.txt", "one ten\n")
    edits: list[JsonValue] = [{"old_string": "one", "new_string": "eins"}, {**second}]
    assert why in await tools.error("MultiEdit", file_path=path, edits=edits)
    assert tools.content("a.txt") == b"one ten\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"one\r\ntwo\r\n", b"ONE\r\n1\r\ntwo\r\n"),
        (b"one\r\ntwo\nthree\n", b"ONE\r\n1\r\ntwo\nthree\n"),
        (b"zero\r\none\ntwo\r\n", b"zero\r\nONE\n1\ntwo\r\n"),
        ("one\r\ntwo\r\n".encode("utf-8-sig"), "ONE\r\n1\r\ntwo\r\n".encode("utf-8-sig")),
        ("one\ntwo €".encode("utf-16"), "ONE\n1\ntwo €".encode("utf-16")),
        ("one\ntwo “ü”".encode("cp1252"), "ONE\n1\ntwo “ü”".encode("cp1252")),
        (b"one\ntwo\r", b"ONE\n1\ntwo\r"),
    ],
)
async def test_line_ends_marks_and_encodings_stay(
    tools: ToolFixture, before: bytes, after: bytes
) -> None:
    path = await tools.read_file("a.txt", before)
    await tools.text("Edit", file_path=path, old_string="one\n", new_string="ONE\n1\n")
    assert tools.content("a.txt") == after


async def test_a_file_written_anew_keeps_its_line_ends(tools: ToolFixture) -> None:
    path = await tools.read_file("a.bat", "one\r\ntwo\r\n")
    await tools.text("Write", file_path=path, content="1\n2\n")
    assert tools.content("a.bat") == b"1\r\n2\r\n"


async def test_a_character_that_the_encoding_lacks_is_refused(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", "ü".encode("cp1252"))
    refused = await tools.error("Edit", file_path=path, old_string="ü", new_string="→")
    assert "is written in cp1252, which has no '\\u2192'" in refused
    assert tools.content("a.txt") == "ü".encode("cp1252")


async def test_the_mode_of_a_file_and_the_link_to_it_stay(tools: ToolFixture) -> None:
    tools.file("real.sh", "one")
    (tools.folder / "real.sh").chmod(0o750)
    (tools.folder / "link.sh").symlink_to("real.sh")
    await tools.text("Read", file_path="link.sh")
    await tools.text("Edit", file_path="link.sh", old_string="one", new_string="two")
    assert (tools.folder / "link.sh").is_symlink()
    assert tools.content("real.sh") == b"two"
    assert stat.S_IMODE((tools.folder / "real.sh").stat().st_mode) == 0o750


async def test_a_write_that_fails_leaves_the_file_and_nothing_beside_it(
    tools: ToolFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await tools.read_file("a.txt", "one")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused = await tools.error("Edit", file_path=path, old_string="one", new_string="two")
    assert refused == f"Error: No space left on device: {path}"
    assert tools.content("a.txt") == b"one"
    assert [each.name for each in tools.folder.iterdir()] == ["a.txt"]


async def test_a_hostile_file_cannot_make_an_edit_leave_its_place(tools: ToolFixture) -> None:
    path = await tools.read_file("a.txt", r"\1 $& (.*) \r\n")
    await tools.text("Edit", file_path=path, old_string="(.*)", new_string=r"\g<0>")
    assert tools.content("a.txt") == rb"\1 $& \g<0> \r\n"


PIECES = st.lists(st.sampled_from(["a", "b", "\n", "\r\n", "\r", "é", "ab\n"]), max_size=12)


@given(before=PIECES, old=st.sampled_from(["a", "b\n", "\n", "a\nb", "é"]), after=PIECES)
def test_all_that_is_not_replaced_stays_byte_for_byte(
    before: list[str], old: str, after: list[str]
) -> None:
    head, tail = "".join([*before, "<"]), "".join([">", *after])
    found = Replacement(f"<{old}>", "<!>").apply_to(TextFile(f"{head}{old}{tail}"))
    assert found.text == f"{head}!{tail}"
