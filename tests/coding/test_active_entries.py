"""Which lines of a transcript are in force."""

from __future__ import annotations

from mini_agent.messages import JsonObject
from tests.coding.harness import Harness
from tests.coding.transcript_lines import (
    model_line,
    text_block,
    tool_result_blocks,
    tool_use_block,
    user_line,
)

ASKED = user_line("u1", None, "One?")
ONE = model_line("a1", "u1", text_block("One."))


def words(harness: Harness) -> list[str]:
    return [entry.text for entry in harness.session().entries]


def test_what_was_left_by_going_back_is_not_told(harness: Harness) -> None:
    left = user_line("u2", "a1", "Two?")
    answer = model_line("a2", "u2", text_block("Two."), "msg_2")
    instead = user_line("u3", "a1", "Three?")
    harness.transcript(ASKED, ONE, left, answer, instead)
    assert words(harness) == ["One?", "One.", "Three?"]


def test_going_back_to_the_start_leaves_everything(harness: Harness) -> None:
    harness.transcript(ASKED, ONE, user_line("u2", None, "Anew?"))
    assert words(harness) == ["Anew?"]


def test_calls_and_results_on_branches_are_all_there(harness: Harness) -> None:
    first = model_line("a1", "u1", tool_use_block("t1", "Read", file_path="a"))
    came = user_line("u2", "a1", list(tool_result_blocks("t1", "A")))
    second = model_line("a2", "a1", tool_use_block("t2", "Read", file_path="b"))
    too = user_line("u3", "a2", list(tool_result_blocks("t2", "B")))
    harness.transcript(ASKED, first, came, second, too)
    messages = harness.session().messages
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
    assert [message["content"] for message in messages[2:]] == ["A", "B"]


def test_a_compaction_stands_for_what_was_before(harness: Harness) -> None:
    boundary: JsonObject = {
        "type": "system",
        "subtype": "compact_boundary",
        "uuid": "s1",
        "parentUuid": None,
        "logicalParentUuid": "a1",
    }
    summary = user_line("u2", "s1", "In short: one.", isCompactSummary=True)
    harness.transcript(ASKED, ONE, boundary, summary)
    assert words(harness) == ["In short: one."]


def test_what_a_subagent_said_is_not_the_sessions(harness: Harness) -> None:
    harness.transcript(ASKED, ONE, user_line("x1", None, "Search.", isSidechain=True))
    assert words(harness) == ["One?", "One."]


def test_lines_without_parents_count_in_their_order(harness: Harness) -> None:
    # The seed's program writes bare texts and bare blocks, and no parents.
    lines = [
        user_line("u1", None, "Run it."),
        model_line("a1", None, tool_use_block("t1", "Bash", command="ls")),
        user_line("u2", None, {"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}),
        model_line("a2", None, text_block("There is a.txt."), "msg_2"),
    ]
    lines[0]["message"] = {"role": "user", "content": "Run it."}
    harness.transcript(*lines)
    messages = harness.session().messages
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "assistant"]


def test_a_session_without_parents_goes_on_without(harness: Harness) -> None:
    harness.transcript(user_line("u1", None, "One?"), model_line("a1", None, text_block("One.")))
    harness.session().add_user_message([text_block("Two?")])
    assert words(harness) == ["One?", "One.", "Two?"]


def test_a_parent_that_is_nowhere_was_the_line_above(harness: Harness) -> None:
    harness.transcript(ASKED, ONE, user_line("u2", "gone", "Two?"))
    assert words(harness) == ["One?", "One.", "Two?"]
