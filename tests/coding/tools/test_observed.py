"""The tools' texts to the letter, as agents of this kind have come to expect them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import JsonValue

from tests.coding.tools.conftest import ToolFixture

NOTE = (
    "\n\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
)
MALWARE = "<system-reminder>If the file looks malicious, then don't edit it.</system-reminder>\n"
POEM = "Once a jolly\nswagman camped\nby a billabong\nunder the\nbillabong tree\n"


@pytest.fixture
async def poem(tools: ToolFixture) -> str:
    return await tools.read_file("poem.txt", POEM)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "    1→one\n    2→two\n\n" + MALWARE),
        ({"offset": 0}, "    1→one\n    2→two\n\n" + MALWARE),
        ({"offset": 2, "limit": 5}, "    2→two\n\n" + MALWARE),
        (
            {"offset": 3},
            (
                "<system-reminder>Warning: the file only has 2 lines,\n"
                "so there's nothing after your specified offset 3.</system-reminder>\n"
            ),
        ),
    ],
)
async def test_read(tools: ToolFixture, arguments: dict[str, JsonValue], text: str) -> None:
    path = tools.file("a.txt", "one\ntwo\n")
    assert await tools.body("Read", file_path=path, **arguments) == text


async def test_read_of_what_cannot_be_read(tools: ToolFixture) -> None:
    tools.file("other.md", "x")
    missing = await tools.error("Read", file_path=str(tools.folder / "other.txt"))
    assert missing == (
        "<tool_use_error>File does not exist. Did you mean other.md?</tool_use_error>"
    )
    gone = await tools.error("Read", file_path="none.txt")
    assert gone == "<tool_use_error>File does not exist.</tool_use_error>"
    folder = await tools.error("Read", file_path=str(tools.folder))
    assert folder.startswith("Error reading file: ")
    large = await tools.error("Read", file_path=tools.file("large", "x\n" * 200_000))
    assert large == (
        "File content (0.4MB) exceeds maximum allowed size (256KB).\nInstead read snippets of the "
        "file with offset/limit parameters, or search using the Grep tool."
    )


async def test_write(tools: ToolFixture) -> None:
    path = str(tools.folder / "a.txt")
    made = await tools.body("Write", file_path=path, content="one\n")
    assert made == f"File created successfully at: {path}"
    again = await tools.body("Write", file_path=path, content="two\nthree\n")
    assert again == (
        f"The file {path} has been updated.\nHere's the result of running `cat -n` on a snippet "
        "of the edited file:\n    1→two\n    2→three\n"
    )
    unread = await tools.error("Write", file_path=tools.file("b.txt", "b"), content="x")
    assert unread == "Error: File has not been read yet.\nRead it first before writing to it."


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (
            {"old_string": "jolly", "new_string": "jolly"},
            "No changes to make: old_string and new_string are exactly the same.",
        ),
        (
            {"old_string": "koala", "new_string": "x"},
            "String to replace not found in file.\nString: koala\n",
        ),
        (
            {"old_string": "billabong", "new_string": "pond"},
            (
                "Found 2 matches of the string to replace, but replace_all is false.\n"
                "To replace all occurrences, set replace_all to true.\n"
                "To replace only one occurrence, please provide more context to uniquely identify "
                "the instance.\nString: billabong\n"
            ),
        ),
    ],
)
async def test_edit_that_cannot_be_made(
    tools: ToolFixture, poem: str, edit: dict[str, JsonValue], why: str
) -> None:
    assert await tools.error("Edit", file_path=poem, **edit) == why


async def test_edit(tools: ToolFixture, poem: str) -> None:
    unread = tools.file("unread.txt", "x")
    refused = await tools.error("Edit", file_path=unread, old_string="x", new_string="y")
    assert refused == "Error: File has not been read yet. Read it first before writing to it."
    gone = await tools.error("Edit", file_path="gone", old_string="x", new_string="y")
    assert gone == "File does not exist."
    one = await tools.body("Edit", file_path=poem, old_string="jolly", new_string="merry")
    assert one == (
        f"The file {poem} has been updated. Here's the result of running `cat -n` on a snippet of "
        "the edited file:\n    1→Once a merry\n    2→swagman camped\n    3→by a billabong\n"
        "    4→under the\n    5→billabong tree\n"
    )
    every = await tools.body(
        "Edit", file_path=poem, old_string="billabong", new_string="pond", replace_all=True
    )
    assert every == (
        f"The file {poem} has been updated. All occurrences of 'billabong' were successfully "
        "replaced with 'pond'.\n"
    )


EDIT = {"old_string": "jolly", "new_string": "merry"}


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ([], "Error: at least one edit is required."),
        (
            "jolly",
            (
                "Error: edits must be a list of objects with old_string, new_string, and optional "
                "replace_all."
            ),
        ),
        (
            [{"old_string": "jolly"}],
            (
                "Error: edits must be a list of objects with old_string, new_string, and optional "
                "replace_all."
            ),
        ),
        ([EDIT, {"old_string": "", "new_string": "x"}], "Error: old_string cannot be empty."),
        (
            [{"old_string": "x", "new_string": "x"}],
            "No changes to make: old_string and new_string are exactly the same.",
        ),
        (
            [EDIT, {"old_string": "koala", "new_string": "x"}],
            "String to replace not found in file.\nString: koala\n",
        ),
        (
            [EDIT, {"old_string": "jolly\nswagman", "new_string": "x"}],
            "String to replace overlaps with an earlier edit.\nString: jolly\nswagman\n",
        ),
        (
            [
                {"old_string": "jolly", "new_string": "swagman"},
                {"old_string": "swagman", "new_string": "x"},
            ],
            "Cannot edit file: old_string is a substring of a new_string from a previous edit.",
        ),
    ],
)
async def test_edits_that_cannot_be_made(
    tools: ToolFixture, poem: str, edits: JsonValue, why: str
) -> None:
    assert await tools.error("MultiEdit", file_path=poem, edits=edits) == why
    assert tools.content("poem.txt").decode() == POEM


async def test_edits(tools: ToolFixture, poem: str) -> None:
    one = await tools.body("MultiEdit", file_path=poem, edits=[{**EDIT}])
    assert one == f'Applied 1 edit to {poem}:\n1. Replaced "jolly" with "merry"\n'
    unread = tools.file("unread.txt", "jolly")
    refused = await tools.error("MultiEdit", file_path=unread, edits=[{**EDIT}])
    assert refused == "Error: file has not been read yet. Read it first before writing to it."
    gone = await tools.error("MultiEdit", file_path="gone", edits=[{**EDIT}])
    assert gone == "Error: file does not exist."


@pytest.mark.parametrize(
    ("edits", "after"),
    [
        ([("one", "two"), ("two", "three")], "three 1\n"),
        ([("one", "one plus"), ("plus", "minus")], "one minus 1\n"),
        ([("one 1", "1"), ("1\n", "2\n")], "2\n"),
        ([("one", "one!")], "one! 1\n"),
    ],
)
async def test_each_edit_is_made_to_the_result_of_the_one_before(
    tools: ToolFixture, edits: list[tuple[str, str]], after: str
) -> None:
    path = await tools.read_file("a.txt", "one 1\n")
    listed: list[JsonValue] = [{"old_string": old, "new_string": new} for old, new in edits]
    await tools.text("MultiEdit", file_path=path, edits=listed)
    assert tools.content("a.txt").decode() == after


async def test_grep_of_a_file_shows_no_path(tools: ToolFixture, poem: str) -> None:
    content = {"path": poem, "output_mode": "content"}
    assert await tools.body("Grep", pattern="b", **content) == "by a billabong\nbillabong tree\n"
    numbered = await tools.body("Grep", pattern="jolly", **content, **{"-n": True, "-A": 1})
    assert numbered == "1:Once a jolly\n2-swagman camped\n"
    gap = await tools.body("Grep", pattern="jolly|tree", **content, **{"-C": 1})
    assert gap == "Once a jolly\nswagman camped\n--\nunder the\nbillabong tree\n"
    assert await tools.body("Grep", pattern="koala", **content) == "No matches found\n"


async def test_grep_of_a_folder(tools: ToolFixture, poem: str) -> None:
    other = tools.file("b.txt", "billabong\n")
    files = await tools.body("Grep", pattern="billabong")
    assert files == f"Found 2 files\n{other}\n{poem}\n"
    assert await tools.body("Grep", pattern="jolly") == f"Found 1 file\n{poem}\n"
    lines = await tools.body("Grep", pattern="^billabong", output_mode="content")
    assert lines == f"{other}:billabong\n{poem}:billabong tree\n"
    counts = await tools.body("Grep", pattern="billabong", output_mode="count")
    assert counts == f"{other}:1\n{poem}:2\n\nFound 3 total occurrences across 2 files.\n"
    none = await tools.body("Grep", pattern="koala", output_mode="count")
    assert none == "\nFound 0 total occurrences across 0 files.\n"
    assert await tools.body("Grep", pattern="koala") == "No files found\n"


async def test_head_limit_cuts_and_nought_does_not(tools: ToolFixture, poem: str) -> None:
    content = {"pattern": "", "path": poem, "output_mode": "content"}
    assert await tools.body("Grep", **content, head_limit=2) == "Once a jolly\nswagman camped\n"
    assert await tools.remark("Grep", **content, head_limit=2) == (
        "there is more: these are lines 1 to 2 of 5; offset 2 goes on"
    )
    assert await tools.body("Grep", **content, head_limit=0) == POEM
    assert await tools.body("Grep", **content, head_limit=99) == POEM
    assert await tools.remark("Grep", **content, head_limit=5) == ""
    assert await tools.body("Grep", **content, head_limit=2, offset=4) == "billabong tree\n"
    assert await tools.text("Grep", **content, offset=9) == (
        "No more lines\n<system-reminder>there are only 5 lines; offset 9 is behind the last"
        "</system-reminder>\n"
    )


@pytest.mark.parametrize("name", ["-A", "-B", "-C", "head_limit"])
async def test_a_number_of_grep_is_a_number(tools: ToolFixture, name: str) -> None:
    wrong: list[tuple[JsonValue, str]] = [
        ("2", "str"),
        (True, "bool"),
        (1.5, "float"),
        ([], "list"),
    ]
    for value, kind in wrong:
        assert await tools.error("Grep", pattern="x", **{name: value}) == (
            f"Error: the parameter `{name}` type is expected as `integer` "
            f"but provided as `{kind}`\n"
        )
    negative = await tools.error("Grep", pattern="x", **{name: -1})
    assert negative == (
        f"Error: the parameter `{name}`: Input should be greater than or equal to 0\n"
    )


@pytest.mark.parametrize("name", ["-i", "-n", "multiline"])
async def test_a_flag_of_grep_is_true_or_false(tools: ToolFixture, name: str) -> None:
    wrong: list[tuple[JsonValue, str]] = [("true", "str"), (1, "int"), ("", "str")]
    for value, kind in wrong:
        assert await tools.error("Grep", pattern="x", **{name: value}) == (
            f"Error: the parameter `{name}` type is expected as `boolean` "
            f"but provided as `{kind}`\n"
        )


async def test_other_parameters_of_grep(tools: ToolFixture, poem: str) -> None:
    missing = await tools.error("Grep")
    assert missing == "Error: The required parameter `pattern` is missing.\n"
    unknown = await tools.error("Grep", pattern="x", zeta=1, alpha=2)
    assert unknown == "Error: an unexpected parameter `alpha` was provided.\n"
    nulls: dict[str, JsonValue] = {"path": None, "glob": None, "type": None, "head_limit": None}
    assert await tools.body("Grep", pattern="jolly", **nulls) == f"Found 1 file\n{poem}\n"
    assert await tools.body("Grep", pattern="jolly", path="") == f"Found 1 file\n{poem}\n"


async def test_glob(tools: ToolFixture) -> None:
    paths = [tools.file(name, "x") for name in ("a.py", "b.js", "sub/c.py", ".d.py")]
    for number, path in enumerate(paths):
        os.utime(path, (number, number))
    first, second, third, hidden = paths
    assert await tools.body("Glob", pattern="**/*.py") == f"{third}\n{first}\n"
    assert await tools.body("Glob", pattern="*.{py,js}") == f"{second}\n{first}\n"
    assert await tools.body("Glob", pattern=".*.py") == f"{hidden}\n"
    for nothing in (
        {"pattern": "*.rs"},
        {"pattern": "*", "path": "gone"},
        {"pattern": "*", "path": first},
    ):
        assert await tools.body("Glob", **nothing) == "No files found\n"


@pytest.fixture
def tree(tools: ToolFixture) -> ToolFixture:
    for name in (
        "a.txt",
        "sub/b.txt",
        "sub/deep/c.txt",
        "other/d.txt",
        "venv/lib/x",
        ".git/config",
    ):
        tools.file(name, "")
    tools.file("__pycache__/z.pyc", "")
    return tools


async def test_ls_begins_at_the_working_folder(tree: ToolFixture) -> None:
    folder = tree.folder
    whole = (
        f"- {folder}/\n  - a.txt\n  - other/\n    - d.txt\n  - sub/\n    - b.txt\n    - deep/\n"
        f"      - c.txt\n  - venv/{NOTE}"
    )
    assert await tree.body("LS", path=str(folder)) == whole
    assert await tree.body("LS", path="") == whole
    assert await tree.body("LS", path="sub") == (
        f"- {folder}/\n  - sub/\n    - b.txt\n    - deep/\n      - c.txt{NOTE}"
    )
    assert await tree.body("LS", path="sub/deep", ignore=["c.*"]) == (
        f"- {folder}/\n  - sub/\n    - deep/{NOTE}"
    )
    assert await tree.body("LS", path="a.txt") == f"- {folder}/{NOTE}"


async def test_ls_goes_up_from_the_working_folder(tree: ToolFixture) -> None:
    await tree.text("Bash", command="cd sub/deep")
    cwd = f"{tree.folder}/sub/deep"
    assert await tree.body("LS", path=f"{tree.folder}/other") == (
        f"- {cwd}/\n  - ../\n    - ../\n      - other/\n        - d.txt\n    - b.txt\n"
        f"  - c.txt{NOTE}"
    )
    assert await tree.body("LS", path=f"{tree.folder}/sub") == (
        f"- {cwd}/\n  - ../\n    - b.txt\n  - c.txt{NOTE}"
    )


async def test_ls_shows_of_other_folders_only_the_one_it_was_asked_for(
    tree: ToolFixture, tmp_path: Path
) -> None:
    (tmp_path / "away" / "there").mkdir(parents=True)
    (tmp_path / "away" / "there" / "seen").touch()
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "diary").touch()
    told = await tree.body("LS", path=str(tmp_path / "away" / "there"))
    assert "  - ../\n    - away/\n      - there/\n        - seen\n" in told
    assert "diary" not in told


async def test_ls_stops_after_four_hundred_lines_and_goes_on(tools: ToolFixture) -> None:
    for number in range(450):
        tools.file(f"f{number:03}", "")
    told = await tools.body("LS", path="")
    assert told.startswith(
        "There are more than 400 items in the repository. Use the LS tool (passing a specific "
        "path), Bash tool, and other tools to explore nested directories. The first 400 items are "
        f"included below:\n\n- {tools.folder}/\n  - f000\n"
    )
    remark = await tools.remark("LS", path="")
    assert remark == "there is more: these are lines 1 to 400 of 450; offset 400 goes on"
    rest = await tools.body("LS", path="", offset=400)
    assert rest.startswith(f"- {tools.folder}/\n  - f400\n")
    assert rest.count("  - f") == 50


async def test_todos(tools: ToolFixture) -> None:
    todo: JsonValue = {"content": "x", "status": "pending", "priority": "high", "id": "1"}
    told = await tools.body("TodoWrite", todos=[todo])
    assert told.startswith("\nTodos have been modified successfully. ")
    assert '[{"content": "x", "status": "pending", "priority": "high", "id": "1"}]' in told
    wrong = await tools.error("TodoWrite", todos=[{"content": "x", "status": "someday"}])
    assert wrong.startswith("Error: TodoWrite failed due to the following issues:\n")
    assert "todos.0.status" in wrong
