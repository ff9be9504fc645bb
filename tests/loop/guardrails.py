"""The guardrails: where each stands, how it is switched off, and which test misses it then."""

from __future__ import annotations

from typing import Final, NamedTuple


class Guardrail(NamedTuple):
    """`on`, a piece of `file`, becomes `off`; then `test` has to fail."""

    name: str
    file: str
    on: str
    off: str
    test: str


GUARDRAILS: Final = tuple(
    Guardrail(*each)
    for each in (
        # Time
        (
            "a model call ends at the deadline",
            "turn.py",
            "await deadline.bound(asked)",
            "await asked",
            "test_time.py::test_a_model_that_hangs_is_cut_at_the_deadline",
        ),
        (
            "a tool call ends at the deadline",
            "invocation.py",
            "await self.deadline.bound(self._called(ask, iteration))",
            "await self._called(ask, iteration)",
            "test_time.py::test_a_tool_that_hangs_is_cut_and_every_call_is_still_answered",
        ),
        (
            "listing the tools ends at the deadline",
            "invocation.py",
            "await deadline.bound(listing())",
            "await listing()",
            "test_time.py::test_tools_that_take_for_ever_to_list_are_cut",
        ),
        (
            "work that ignores its cancellation is left behind",
            "deadline.py",
            "await asyncio.wait({task}, timeout=CLEANUP_S)",
            "await asyncio.wait({task})",
            "test_time.py::test_a_tool_that_ignores_its_cancellation_does_not_hold_the_run",
        ),
        (
            "what is cut is cancelled",
            "deadline.py",
            "    task.cancel()\n",
            "",
            "test_time.py::test_cancelling_the_run_cancels_the_sandbox_call",
        ),
        (
            "work that cancels itself is no cancelled run",
            "deadline.py",
            "if task.cancelled():\n            raise",
            "if False:\n            raise",
            "test_time.py::test_work_that_cancels_itself_is_not_taken_for_a_cancelled_run",
        ),
        (
            "a server that fails as time is up is out of time",
            "turn.py",
            "if not deadline.remaining:",
            "if False:",
            "test_faults.py::test_a_model_that_fails_when_time_is_up_is_out_of_time",
        ),
        (
            "a server that says too late is not waited for",
            "asking.py",
            " and _pause_s(broken) < self.deadline.remaining",
            "",
            "test_faults.py::test_a_server_that_says_too_late_is_not_waited_for",
        ),
        # Turns and calls
        (
            "turns are counted",
            "loop.py",
            "self._story.turns < self._config.max_iterations",
            "self._story.turns < 50",
            "test_answers.py::test_after_the_last_turn_the_model_is_asked_for_words",
        ),
        (
            "calls of a turn are counted",
            "loop.py",
            "if count > limit else ask",
            "if False else ask",
            "test_calls.py::test_calls_beyond_the_cap_are_answered_but_not_run",
        ),
        (
            "a call that was cut off is not run",
            "calls.py",
            "asked = (*asked[:-1], replace(asked[-1], problem=CUT_OFF))",
            "pass",
            "test_calls.py::test_a_call_cut_off_at_the_token_limit_is_not_run",
        ),
        (
            "a missing argument is told",
            "understood.py",
            'f"missing argument: {',
            'f"" and f"missing argument: {',
            "test_calls.py::test_a_missing_argument_is_named",
        ),
        (
            "an empty program is none",
            "understood.py",
            "or (is_blank and",
            "or (False and",
            "test_calls.py::test_a_program_of_nothing_is_a_missing_argument",
        ),
        (
            "an unknown tool is told",
            "understood.py",
            "given.problem or _unknown(requested, tools, choice.why)",
            "given.problem",
            "test_calls.py::test_a_tool_nobody_has_is_an_observation_not_a_crash",
        ),
        (
            "ids are unique",
            "transcript.py",
            "while not candidate or candidate in self._ids:",
            "while not candidate:",
            "test_calls.py::test_ids_that_repeat_or_are_missing_are_made_unique",
        ),
        (
            "tools run at most so many at a time",
            "invocation.py",
            "asyncio.Semaphore(self.config.tool_concurrency)",
            "asyncio.Semaphore(99)",
            "test_invokers.py::test_tools_run_one_after_the_other_unless_asked_otherwise",
        ),
        (
            "a tool may raise anything",
            "invocation.py",
            "except Exception as broken:  # noqa: BLE001",
            "except ZeroDivisionError as broken:  # noqa: BLE001",
            "test_invokers.py::test_a_tool_that_raises_is_an_observation",
        ),
        (
            "a tool may answer anything",
            "invocation.py",
            "except ValidationError as odd",
            "except ZeroDivisionError as odd",
            "test_invokers.py::test_odd_outputs_do_not_end_the_run",
        ),
        (
            "of long output the end is kept",
            "tools/foreign.py",
            "stdout=encodable(output.stdout[-KEPT:])",
            "stdout=encodable(output.stdout)",
            "test_invokers.py::test_ten_megabytes_are_shown_by_their_end",
        ),
        (
            "a model may raise anything",
            "turn.py",
            "except Exception as broken:",
            "except ZeroDivisionError as broken:",
            "test_answers.py::test_a_model_that_raises_anything_else_is_an_error_too",
        ),
        (
            "a model may answer anything",
            "turn.py",
            "if not isinstance(reply, ModelReply):",
            "if False:",
            "test_faults.py::test_a_reply_that_is_none_is_an_error_in_words",
        ),
        # Going in circles
        (
            "a circle is stopped",
            "loop.py",
            'return await self._closed("stagnation") if advice.stop else None',
            "return None",
            "test_stagnation.py::test_the_same_calls_with_the_same_results_are_nudged_once_and_then_stopped",
        ),
        (
            "a circle is told first",
            "progress.py",
            'if verdict else ""',
            'if False else ""',
            "test_stagnation.py::test_the_same_calls_with_the_same_results_are_nudged_once_and_then_stopped",
        ),
        (
            "results count, not only calls",
            "stagnation.py",
            "self.came_to != earlier.came_to or ",
            "",
            "test_stagnation.py::test_the_same_call_with_other_results_is_progress",
        ),
        (
            "hardly different failures are one",
            "stagnation.py",
            "(self.failed and _are_alike",
            "(False and _are_alike",
            "test_stagnation.py::test_attempts_that_fail_alike_and_hardly_differ_are_one",
        ),
        (
            "a circle may be longer than a turn",
            "stagnation.py",
            "range(1, LONGEST_CIRCLE + 1)",
            "range(1, 2)",
            "test_stagnation.py::test_a_longer_circle_is_noticed_after_three_rounds",
        ),
        (
            "what changes by itself does not count",
            "stagnation.py",
            'FLEETING.sub("~", said)',
            "said",
            "test_stagnation.py::test_what_changes_by_itself_does_not_count",
        ),
        (
            "a run is handed over once",
            "escalation.py",
            "or self.took_place:",
            "or False:",
            "test_escalation.py::test_a_second_stagnation_ends_the_run",
        ),
        (
            "research is asked for a few times only",
            "research.py",
            "or self._hops >= self._config.max_research_hops",
            "",
            "test_research.py::test_research_is_asked_for_a_few_times_only",
        ),
        # Answers
        (
            "silence is asked about",
            "loop.py",
            "await self._answered(turn) if turn.text else await self._silent(turn)",
            "await self._answered(turn)",
            "test_answers.py::test_an_empty_answer_is_asked_for_once_more_with_the_tools_withheld",
        ),
        (
            "an output speaks for a silent model",
            "answer.py",
            "    if output:\n",
            "    if False:\n",
            "test_answers.py::test_a_model_that_stays_silent_is_spoken_for_by_its_last_output",
        ),
        (
            "a failed call's output is no answer",
            "answer.py",
            "if call.ok]",
            "if True]",
            "test_answers.py::test_output_of_a_failed_call_is_no_answer",
        ),
        (
            "thoughts are better than nothing",
            "loop.py",
            'words = again.text or ("" if has_output else again.reasoning or turn.reasoning)',
            "words = again.text",
            "test_answers.py::test_where_there_are_only_thoughts_they_are_the_answer",
        ),
        (
            "a promise is asked about",
            "evasions.py",
            "PROMISES.search(last[0])",
            "False",
            "test_evasions.py::test_a_model_that_only_promises_a_call_is_asked_to_make_it",
        ),
        (
            "an oversight is asked about",
            "evasions.py",
            "    if overlooks:\n",
            "    if False:\n",
            "test_evasions.py::test_a_model_that_overlooks_the_output_is_shown_it_again",
        ),
        (
            "a model evades once only",
            "progress.py",
            "stop=has_evaded",
            "stop=False",
            "test_evasions.py::test_a_model_that_promises_again_has_come_to_nothing",
        ),
        (
            "an answer has the form that was asked for",
            "json_answer.py",
            "    if wrong is not None:\n",
            "    if False:\n",
            "test_json_answers.py::test_an_answer_that_does_not_fit_is_asked_for_once_more",
        ),
        (
            "a call in words is not shown as an answer",
            "loop.py",
            "Question(iteration, offered, self._tools, setting)",
            "Question(iteration, offered, offered, setting)",
            "test_answers.py::test_a_call_in_words_is_never_shown_as_the_answer",
        ),
        (
            "a tool choice does not hold for ever",
            "asking.py",
            "if not tools or (has_answers and",
            "if not tools or (False and",
            "test_loop.py::test_a_required_tool_choice_is_dropped_once_a_tool_has_answered",
        ),
        # The server
        (
            "a server that fails is asked once more",
            "asking.py",
            "broken.retryable and AGAIN not in tried",
            "False",
            "test_faults.py::test_a_server_that_fails_once_is_asked_once_more",
        ),
        (
            "it is not asked a third time",
            "asking.py",
            "broken.retryable and AGAIN not in tried",
            "broken.retryable",
            "test_faults.py::test_a_server_that_fails_twice_ends_the_run",
        ),
        (
            "a conversation too long is shown shorter",
            "asking.py",
            "self.shown.shrink(request.messages)",
            "pass",
            "test_context.py::test_a_conversation_the_server_finds_too_long_is_shown_shorter_once",
        ),
        (
            "a server without tools is asked in text",
            "plain_text.py",
            "self._is_needed = True",
            "pass",
            "test_plain_text.py::test_a_server_without_tools_is_asked_in_text",
        ),
        # What is shown
        (
            "messages are counted",
            "shown.py",
            "Room(config.max_history_messages, config.hard_char_budget)",
            "Room(999, config.hard_char_budget)",
            "test_context.py::test_a_long_run_is_shown_its_newest_messages",
        ),
        (
            "characters are counted",
            "shown.py",
            "Room(config.max_history_messages, config.hard_char_budget)",
            "Room(config.max_history_messages)",
            "test_context.py::test_a_budget_of_characters_bounds_every_request",
        ),
        (
            "tokens are estimated",
            "shown.py",
            "replace(self._room, tokens=tokens)",
            "self._room",
            "test_context.py::test_num_ctx_bounds_every_request_by_an_estimate",
        ),
        (
            "calls stay with their answers",
            "context.py",
            'if group and message["role"] != "tool":',
            "if group:",
            "test_context.py::test_calls_and_their_answers_are_dropped_together",
        ),
        (
            "the newest output is clipped",
            "context.py",
            "kept.update(_clipped_to(newest, left))",
            "kept.update(newest)",
            "test_context.py::test_the_newest_outputs_are_clipped_in_their_middle_when_even_they_are_too_long",
        ),
        (
            "no call is left unanswered",
            "story.py",
            "self._transcript.answer_open(NOT_DONE)",
            "pass",
            "test_events.py::test_a_run_cancelled_in_a_tool_leaves_no_call_unanswered",
        ),
        (
            "who stops listening ends the run",
            "event_stream.py",
            "        running.cancel()\n",
            "",
            "test_events.py::test_closing_the_stream_ends_the_run",
        ),
        # Salvage
        (
            "words against running are heeded",
            "salvage/surroundings.py",
            "return is_unwanted(",
            "return False and is_unwanted(",
            "../salvage/test_asides.py::test_code_that_is_not_to_be_run_is_not",
        ),
        (
            "a call in a sentence is spoken of",
            "salvage/scan.py",
            "not around.is_in_a_sentence",
            "True",
            "../salvage/test_weak_models.py::test_what_is_meant_is_run_and_nothing_else",
        ),
        (
            "a block after a result only explains",
            "salvage/code_blocks.py",
            "if has_result and not around.announces:",
            "if False:",
            "../salvage/test_replies.py::test_after_a_result_a_block_that_explains_is_text",
        ),
        (
            "another's turn is not the model's",
            "salvage/scan.py",
            'or opened["foreign"] is not None',
            "",
            "../salvage/test_weak_models.py::test_what_is_meant_is_run_and_nothing_else",
        ),
    )
)
