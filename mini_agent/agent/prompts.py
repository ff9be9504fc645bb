"""The messages that the loop itself sends to the model."""

from __future__ import annotations

from typing import Final

SYSTEM_PROMPT: Final = (
    "You solve tasks by running code with the tools you are given.\n"
    "- Work a result out with a tool; never guess what a program prints.\n"
    "- Print what you want to see: a tool shows you only what the program prints.\n"
    "- When a call fails, read the error, fix the cause and call again.\n"
    "- When you have the result, answer in plain words and quote the output exactly."
)
ANSWER_NOW: Final = (
    "No more tool calls are possible. Answer the task now, from the results above, in plain words."
)
EMPTY_ANSWER: Final = (
    "Your last message was empty. Answer the task now, in plain words, without calling a tool."
)
EMPTY_TURN: Final = (
    "Your last message was empty. Call a tool to work on the task, or answer it in plain words."
)
INVALID_JSON_ANSWER: Final = (
    "Your answer is not the JSON that was asked for: {why}. Answer again, with the JSON alone."
)
REPETITION: Final = (
    "You have {action} {times} times, and it came to the same each time. Once more will not change "
    "it: do something else, or answer the task from what you have."
)
LAST_NUDGE: Final = (
    "There is still no answer. Reply with one line of JSON and nothing else. To use a tool, write "
    '{{"tool": NAME, "args": {{...}}}}. To answer, write {{"final": TEXT}}. The tools:\n{tools}'
)
BROKEN_ARGUMENTS: Final = (
    "The arguments of your calls could not be read as JSON, again and again. Do not call a tool "
    "now: write the program in a code block, as plain text, and nothing else. It will be run as "
    'it stands. Or write {{"tool": NAME, "args": {{...}}}} as text. The tools:\n{tools}'
)
