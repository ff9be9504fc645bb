"""Which lines of a transcript are in force."""

from __future__ import annotations

from mini_agent.messages import JsonObject
from tests.coding.harness import Desk
from tests.coding.transcript_lines import (
    answered,
    result,
    said,
    text,
    use,
)

ASKED = said("u1", None, "One?")
ONE = answered("a1", "u1", text("One."))


def words(desk: Desk) -> list[str]:
    return [entry.text for entry in desk.session().entries]


def test_what_was_left_by_going_back_is_not_told(desk: Desk) -> None:
    left = said("u2", "a1", "Two?")
    answer = answered("a2", "u2", text("Two."), "msg_2")
    instead = said("u3", "a1", "Three?")
    desk.transcript(ASKED, ONE, left, answer, instead)
    assert words(desk) == ["One?", "One.", "Three?"]


def test_going_back_to_the_start_leaves_everything(desk: Desk) -> None:
    desk.transcript(ASKED, ONE, said("u2", None, "Anew?"))
    assert words(desk) == ["Anew?"]


def test_calls_and_results_on_branches_are_all_there(desk: Desk) -> None:
    first = answered("a1", "u1", use("t1", "Read", file_path="a"))
    came = said("u2", "a1", list(result("t1", "A")))
    second = answered("a2", "a1", use("t2", "Read", file_path="b"))
    too = said("u3", "a2", list(result("t2", "B")))
    desk.transcript(ASKED, first, came, second, too)
    messages = desk.session().messages
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
    assert [message["content"] for message in messages[2:]] == ["A", "B"]


def test_a_compaction_stands_for_what_was_before(desk: Desk) -> None:
    boundary: JsonObject = {
        "type": "system",
        "subtype": "compact_boundary",
        "uuid": "s1",
        "parentUuid": None,
        "logicalParentUuid": "a1",
    }
    summary = said("u2", "s1", "In short: one.", isCompactSummary=True)
    desk.transcript(ASKED, ONE, boundary, summary)
    assert words(desk) == ["In short: one."]


def test_what_a_subagent_said_is_not_the_sessions(desk: Desk) -> None:
    desk.transcript(ASKED, ONE, said("x1", None, "Search.", isSidechain=True))
    assert words(desk) == ["One?", "One."]


def test_lines_without_parents_count_in_their_order(desk: Desk) -> None:
    # The seed's program writes bare texts and bare blocks, and no parents.
    lines = [
        said("u1", None, "Run it."),
        answered("a1", None, use("t1", "Bash", command="ls")),
        said("u2", None, {"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}),
        answered("a2", None, text("There is a.txt."), "msg_2"),
    ]
    lines[0]["message"] = {"role": "user", "content": "Run it."}
    desk.transcript(*lines)
    messages = desk.session().messages
    assert [m["role"] for m in messages] == ["user", "assistant", "tool", "assistant"]


def test_a_session_without_parents_goes_on_without(desk: Desk) -> None:
    desk.transcript(said("u1", None, "One?"), answered("a1", None, text("One.")))
    desk.session().add_user_message([text("Two?")])
    assert words(desk) == ["One?", "One.", "Two?"]


def test_a_parent_that_is_nowhere_was_the_line_above(desk: Desk) -> None:
    desk.transcript(ASKED, ONE, said("u2", "gone", "Two?"))
    assert words(desk) == ["One?", "One.", "Two?"]
