"""Resolves tool calls: matches each to a tool and its arguments before anything runs.

Also recognizes an answer given in the form of a call: `final_answer(answer="42")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject, replace_surrogates
from mini_agent.model import CallForm, ToolCall
from mini_agent.tool_parsing.arguments import ParsedArguments, parse_arguments
from mini_agent.tool_parsing.programs import has_function_call, is_python, repair_program
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall
from mini_agent.tool_parsing.tool_arguments import normalize_arguments
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    ARGUMENT_ALIASES,
    TOOL_BY_LANGUAGE,
    find_near_names,
    find_tool_by_name,
    find_tool_for_language,
    get_tool_language,
    is_generic_code_tool,
    is_own_tool,
    normalize_spelling,
    select_own_tools,
    split_words,
    strip_decoration,
)
from mini_agent_protocol.languages import Language, parse_language

LANGUAGE_KEYS: Final = ("language", "lang", "kernel", "runtime", "programming_language")
CODE_KEYS: Final = frozenset(("code", *ARGUMENT_ALIASES["code"]))
COMMAND_KEYS: Final = frozenset(("cmd", "command", "commandline", "shell", "bash"))
PYTHON_START: Final = re.compile(r"\s*(?:print\s*\(|import \w|from \w+ import|def \w+\(|#.*\n)")
SHELL_START: Final = re.compile(
    r"\s*(?:\$ )?(?:echo|ls|pip3?|python3?|cat|cargo|go|node|npm|npx|mkdir|curl|git|bash|sh)\s+\S"
)
OTHER_LANGUAGE_STARTS: Final[tuple[tuple[Language, re.Pattern[str]], ...]] = (
    ("go", re.compile(r"\s*package \w+\s")),
    ("rust", re.compile(r"(?s:.*?)\bfn main\s*\(")),
    ("node", re.compile(r"\s*(?:console\.log\(|(?:const|let|var) \w+ ?=|function \w+\()")),
)
FINAL_ANSWER_NAMES: Final = split_words(
    "final finalanswer finalresponse finalresult answer respond response reply finish finished "
    "submit submitanswer done complete taskcomplete attemptcompletion giveanswer returnanswer "
    "sendmessage say speak noaction none notool"
)
INVALID_NAME_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_-]")
CALL_CUT_PROBLEM: Final = (
    "the call was cut off at the token limit, so it was not run; make it shorter"
)


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """A call to be executed, or the `problem` that answers it instead.

    `name` is the tool's name as the model was offered it, and `own_name` as its invoker lists it;
    without a tool, the requested name in a form that model servers accept.
    """

    id: str
    name: str
    requested_name: str
    arguments: JsonObject = field(default_factory=dict)
    problem: str = ""
    repaired: tuple[str, ...] = ()
    form: CallForm = "call"
    own_name: str = ""


def resolve_call(call: ToolCall, call_id: str, tools: Mapping[str, OfferedTool]) -> ResolvedCall:
    """Match `call` to one of `tools` and repair its arguments."""
    requested = replace_surrogates(call.name)[:200]
    match = match_tool(requested, parse_arguments(replace_surrogates(call.arguments)), tools)
    name = (
        match.tool.name
        if match.tool
        else INVALID_NAME_CHARACTER.sub("_", requested)[:64] or "unnamed"
    )
    renamed = match.tool is not None and requested not in (name, match.tool.own_name)
    repaired = (*call.repaired, *((_describe_rename(requested, name, match),) if renamed else ()))
    if call.problem:
        return ResolvedCall(call_id, name, requested, {}, call.problem, repaired, call.form)
    if match.tool is None:
        given = match.arguments
        problem = given.problem or _describe_unknown_tool(requested, tools, match.why)
        repairs = (*repaired, *given.repaired)
        return ResolvedCall(call_id, name, requested, given.named, problem, repairs, call.form)
    meant = normalize_arguments(match.tool, match.arguments)
    missing = [each for each in match.tool.required if _is_missing(each, meant, match.tool)]
    problem = meant.problem or (f"missing argument: {', '.join(missing)}" if missing else "")
    arguments = {} if meant.problem else meant.named
    repairs = (*repaired, *meant.repaired)
    return ResolvedCall(
        call_id, name, requested, arguments, problem, repairs, call.form, match.tool.own_name
    )


def _describe_rename(requested: str, name: str, match: ToolMatch) -> str:
    because = f", because {match.why}" if match.why else ""
    return f"tool {requested or 'without a name'} was taken as {name}{because}"


def _describe_unknown_tool(requested: str, known: Iterable[str], why: str) -> str:
    names = list(known)
    near = find_near_names(requested, names)
    meant = f"; near names: {', '.join(near)}" if near and len(names) > len(near) else ""
    listed = ", ".join(names) or "none"
    return f"{why or f'there is no tool {requested!r}'}{meant}; known tools: {listed}"


def _is_missing(name: str, given: ParsedArguments, tool: OfferedTool) -> bool:
    """Tell whether an argument is absent; a program of white space alone counts as absent."""
    value = given.named.get(name)
    is_blank = isinstance(value, str) and not value.strip()
    return name not in given.named or (is_blank and get_tool_language(tool) is not None)


@dataclass(frozen=True, slots=True)
class ToolMatch:
    """The tool that a call means, None if there is none, with its arguments and the reason."""

    tool: OfferedTool | None
    arguments: ParsedArguments
    why: str = ""


def match_tool(requested: str, given: ParsedArguments, tools: OfferedTools) -> ToolMatch:
    """Match a name and its arguments to a tool."""
    match = ToolMatch(find_tool_by_name(requested, tools), given)
    if given.problem:
        return match
    if match.tool is None:
        name = strip_decoration(requested)
        own = select_own_tools(tools) if name else tools
        match = ToolMatch(_match_unnamed_call(name, given, own), given)
    if match.tool is not None and not is_own_tool(match.tool):
        return match
    own = select_own_tools(tools)
    return _match_program(_match_stated_language(requested, match, own), own)


def _match_unnamed_call(
    name: str, given: ParsedArguments, tools: OfferedTools
) -> OfferedTool | None:
    """Match a call without a tool's name: none, "run", or a function of its program."""
    program = _find_program(given)
    if not name or is_generic_code_tool(name):
        named_language = _find_language_key(given.named)
        if named_language:
            return _tool_for_language(str(given.named[named_language]), tools)
        return match_unnamed_arguments(given.named, tools)
    if re.search(rf"\bdef {re.escape(name)}\s*\(", program) and has_function_call(program):
        return find_tool_for_language("python", tools)
    return None


def _find_program(given: ParsedArguments) -> str:
    """The text among the arguments that may be a program; empty if there is none."""
    if isinstance(given.value, str):
        return given.value
    keys = CODE_KEYS | COMMAND_KEYS
    texts = (value for key, value in given.named.items() if normalize_spelling(key) in keys)
    return next((text for text in texts if isinstance(text, str)), "")


def _find_language_key(arguments: Mapping[str, JsonValue]) -> str | None:
    return next((k for k in LANGUAGE_KEYS if isinstance(arguments.get(k), str)), None)


def _tool_for_language(name: str, tools: OfferedTools) -> OfferedTool | None:
    try:
        return find_tool_for_language(parse_language(name), tools)
    except BadRequest:
        return None


def _match_program(match: ToolMatch, tools: OfferedTools) -> ToolMatch:
    """Match a call whose program is clearly for another tool than the named one."""
    tool, given = match.tool, match.arguments
    if tool is None:
        return match
    language, program = get_tool_language(tool), _find_program(given)
    other: Language | None = None
    if language == "bash" and PYTHON_START.match(program) and has_function_call(program):
        other = "python"
    elif language == "python" and not is_python(repair_program(program, "python").text):
        other = _detect_language(program)
    elif language is None and _has_code_instead(tool, given.named) and has_function_call(program):
        other = "python"
    meant = find_tool_for_language(other, tools) if other else None
    if meant is None or other is None:
        return match
    return ToolMatch(meant, given, f"its program is for {TOOL_BY_LANGUAGE[other]}")


def _detect_language(program: str) -> Language | None:
    if "\n" not in program.strip() and SHELL_START.match(program):
        return "bash"
    return next((language for language, has in OTHER_LANGUAGE_STARTS if has.match(program)), None)


def _has_code_instead(tool: OfferedTool, given: JsonObject) -> bool:
    lacks = [name for name in tool.required if name not in given]
    return bool(lacks) and len(given) == 1 and {"code", "python"} >= set(given)


def _match_stated_language(requested: str, match: ToolMatch, tools: OfferedTools) -> ToolMatch:
    """Match a call whose arguments also name the language of its program."""
    key = _find_language_key(match.arguments.named)
    tool = match.tool
    if tool is None or key is None or key in tool.parameters or get_tool_language(tool) is None:
        return match
    stated = str(match.arguments.named[key])
    rest = {name: value for name, value in match.arguments.named.items() if name != key}
    repairs = (*match.arguments.repaired, f"argument {key} was left out")
    arguments = ParsedArguments(rest, repairs)
    other = _tool_for_language(stated, tools)
    if other == tool:
        return ToolMatch(tool, arguments)
    if (
        get_tool_language(tool) == "python"
        and is_python(_find_program(arguments))
        and tool.name
        in (
            requested,
            requested.removeprefix("functions."),
        )
    ):
        return ToolMatch(tool, arguments)
    if other is None:
        return ToolMatch(None, arguments, f"no tool runs {stated!r:.40}")
    return ToolMatch(other, arguments, f"its language is {stated}")


def match_unnamed_arguments(arguments: JsonObject, tools: OfferedTools) -> OfferedTool | None:
    """Match arguments that are one program or command line; None if it is ambiguous."""
    keys = {normalize_spelling(key) for key in arguments if key not in LANGUAGE_KEYS}
    keys -= {"timeouts", "timeout", *map(normalize_spelling, ARGUMENT_ALIASES["timeout_s"])}
    if len(keys) != 1:
        return None
    named = _find_language_key(arguments)
    program = _find_program(ParsedArguments(arguments))
    if named:
        return _tool_for_language(str(arguments[named]), tools) if program else None
    if keys <= COMMAND_KEYS and program and not PYTHON_START.match(program):
        return find_tool_for_language("bash", tools)
    if not keys <= CODE_KEYS:
        return None
    if has_function_call(repair_program(program, "python").text):
        return find_tool_for_language("python", tools)
    return next(
        (
            find_tool_for_language(each, tools)
            for each, has in OTHER_LANGUAGE_STARTS
            if has.match(program)
        ),
        None,
    )


def find_final_answer(calls: Sequence[ParsedCall], tools: OfferedTools) -> str | None:
    """The answer, if it is all that the calls hold; else None."""
    if len(calls) != 1 or not calls[0].is_whole:
        return None
    return parse_final_answer(calls[0].name, calls[0].arguments_text, tools)


def parse_final_answer(name: str, arguments: str, tools: OfferedTools) -> str | None:
    """The text of a call whose name only ends a conversation; None for any other."""
    if normalize_spelling(name) not in FINAL_ANSWER_NAMES or name in tools:
        return None
    given = parse_arguments(arguments)
    if given.problem:
        return None
    text = given.value if isinstance(given.value, str) else _only_text(given.named)
    return text.strip() or None if text else None


def _only_text(given: JsonObject) -> str | None:
    texts = [str(value) for value in given.values() if isinstance(value, str | int | float)]
    return texts[0] if len(texts) == 1 else None
