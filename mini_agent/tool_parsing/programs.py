"""Parses and repairs programs: code blocks, tool calls in Python, programs wrapped or escaped.

A block runs in its own language when a tool for that language is offered and the block is meant
to be run. It is meant to be run while no tool has succeeded yet in the run; after that only when
the words before it announce so, because a model that has its result explains it, also in code.
It is never meant where the text calls it an example and goes on, says not to run it, or shows
what was printed. Other fences (json, diff, text, output, console, other languages) are text.
"""

from __future__ import annotations

import ast
import html
import re
import textwrap
import warnings
from collections.abc import Callable
from typing import Final, NamedTuple

from pydantic import JsonValue

from mini_agent.tool_parsing.intent import SurroundingText
from mini_agent.tool_parsing.lenient_json import unescape
from mini_agent.tool_parsing.text_spans import Fence, OfferedTools, ParsedCall
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import find_tool_for_language
from mini_agent_protocol.languages import Language

MAX_PROGRAM_CHARS: Final = 200_000
BRACKET_PAIRS: Final = {")": "(", "]": "[", "}": "{"}
LITERAL: Final = re.compile(
    r"//[^\n]*|/\*.{0,20000}?\*/|`[^`]*+`|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.){1,80}'",
    re.DOTALL,
)
BRACKET: Final = re.compile(r"[()\[\]{}]")
COMPLETE_PROGRAM: Final[dict[Language, re.Pattern[str]]] = {
    "go": re.compile(r"func main\(\)\s*\{.*\}\s*\Z", re.DOTALL),
    "rust": re.compile(r"fn main\(\).*\}\s*\Z", re.DOTALL),
    "node": re.compile(r"\(.*[)};]\s*\Z", re.DOTALL),
}
SHELL_PROMPT: Final = re.compile(r"^\$ ?(.*)$", re.MULTILINE)


def parse_python(code: str) -> ast.Module | None:
    """The syntax tree of `code`; None if it is not Python or too long."""
    if len(code) > MAX_PROGRAM_CHARS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def is_python(code: str) -> bool:
    """Tell whether `code` is Python, however little it does."""
    return bool(code.strip()) and parse_python(code) is not None


def has_function_call(code: str) -> bool:
    """Tell whether `code` is Python that calls a function; plain words are Python too."""
    tree = parse_python(code)
    return tree is not None and any(isinstance(node, ast.Call) for node in ast.walk(tree))


def has_print_statement(code: str) -> bool:
    """Tell whether `code` is Python that prints outside of any function."""
    tree = parse_python(code)
    return tree is not None and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
    )


def is_complete(language: Language, code: str) -> bool:
    """Tell whether a program without an end marker ends where it should."""
    if language == "python":
        return has_function_call(code)
    # A command line that was cut is valid too, and may do more harm: rm -rf /tmp/x.
    complete = COMPLETE_PROGRAM.get(language)
    return complete is not None and bool(complete.search(code)) and _is_balanced(code)


def extract_leading_program(language: Language, text: str) -> str:
    """The leading paragraphs that are a program; all of `text` if none are."""
    paragraphs = text.split("\n\n")
    for count in range(len(paragraphs), 0, -1):
        begun = "\n\n".join(paragraphs[:count])
        if is_complete(language, begun):
            return begun
    return paragraphs[0] if language == "bash" else text


def _is_balanced(code: str) -> bool:
    if len(code) > MAX_PROGRAM_CHARS:
        return False
    waiting: list[str] = []
    for bracket in BRACKET.findall(LITERAL.sub("", code)):
        if bracket in BRACKET_PAIRS.values():
            waiting.append(bracket)
        elif not waiting or waiting.pop() != BRACKET_PAIRS[bracket]:
            return False
    return not waiting


def strip_shell_prompts(script: str) -> str:
    """Remove `$` prompts and output, if the first line begins with a prompt."""
    if not script.lstrip().startswith("$ "):
        return script
    return "\n".join(SHELL_PROMPT.findall(script))


FENCED_TEXT: Final = re.compile(
    r"\A\s*(?:```|~~~)[ \t]*([\w+#.-]*)[ \t]*\n(.*?)\n?[ \t]*(?:```|~~~)\s*\Z", re.DOTALL
)
CODE_BLOCK: Final = re.compile(
    r"^[ \t]*(?:```|~~~)[\w+#.-]*[ \t]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE
)
CODE_ELEMENT: Final = re.compile(r"\A\s*<(code|pre|python|script)>(.*)</\1>\s*\Z", re.DOTALL)
INLINE_CODE: Final = re.compile(r"\A\s*`+([^`]+)`+\s*\Z")
LANGUAGE_LABEL: Final = re.compile(
    r"\A\s*(?:python3?|py|bash|sh|shell|javascript|js|go|rust)[ \t]*\n"
)
PYTHON_PROMPT: Final = re.compile(r"^(?:>>>|\.\.\.) ?(.*)$", re.MULTILINE)
NOTEBOOK_PROMPT: Final = re.compile(r"^In ?\[\d*\]: ?", re.MULTILINE)
NOTEBOOK_LINE: Final = re.compile(r"^[ \t]*(?:%|!)[^\n]*\n?", re.MULTILINE)
PRINT_STATEMENT: Final = re.compile(r"^([ \t]*)print[ \t]+(?!\()([^\n]+?);?[ \t]*$", re.MULTILINE)
TRAILER: Final = re.compile(r"(?:\s|```|~~~|</?[A-Za-z_][\w:.-]*>|<\|[^<>|]{1,40}\|>|[\"'`])+\Z")
SENTENCE_LINE: Final = r"[ \t]*[A-Z][^\n=(){}\[\]#]*[.:!]"
SENTENCES: Final = re.compile(
    rf"\A(?:{SENTENCE_LINE}[ \t]*\n+)+|(?:\n+{SENTENCE_LINE}[ \t]*)+\s*\Z"
)
# Repairing reads a program many times, so longer ones are not repaired.
MAX_REPAIRED_CHARS: Final = 20_000
# A trailer ends within this many characters, so that looking for its start stays cheap.
MAX_TRAILER_CHARS: Final = 400
TYPOGRAPHIC: Final = str.maketrans(
    "\u201c\u201d\u2018\u2019\u00a0\u2212\u00d7\u00f7\uff08\uff09\uff0c\uff1a",
    "\"\"'' -*/(),:",
    "\u200b\ufeff",
)
NEXT_COMMAND: Final = re.compile(r"\\n\s*(?:echo|cd|ls|for|if|python3?|pip|cat|mkdir|export)\b")
ENTITY: Final = re.compile(r"&(?:lt|gt|amp|quot|apos|#39|#x27);")


class RepairedProgram(NamedTuple):
    """A program and a note for each repair made to it."""

    text: str
    repairs: tuple[str, ...] = ()


Repair = tuple[str, Callable[[str], str]]


def repair_program(source: str, language: Language) -> RepairedProgram:
    """Repair `source` to a program of `language`; unchanged if nothing is wrong with it."""
    text, repairs = source, []
    for note, repair in UNWRAP_REPAIRS:
        unwrapped = repair(text)
        is_needed = repair in ALWAYS_APPLIED or language != "python" or not has_function_call(text)
        if unwrapped != text and is_needed:
            text = unwrapped
            repairs.append(note)
    mended = _repair_python(text) if language == "python" else _repair_other(text, language)
    return RepairedProgram(mended.text, (*repairs, *mended.repairs))


def strip_fence(text: str) -> str:
    """The body of the fence, if all of `text` is one."""
    match = FENCED_TEXT.match(text)
    return match[2] if match else text


def _extract_code_blocks(text: str) -> str:
    blocks = CODE_BLOCK.findall(text)
    return "\n".join(block.rstrip("\n") for block in blocks) if blocks else text


def _strip_element(text: str) -> str:
    match = CODE_ELEMENT.match(text)
    return match[2].strip("\n") if match else text


def _strip_backticks(text: str) -> str:
    match = INLINE_CODE.match(text)
    return match[1] if match else text


def strip_language_label(text: str) -> str:
    """Remove a first line that is only a language's name."""
    rest = LANGUAGE_LABEL.sub("", text)
    return rest if rest.strip() else text


def _strip_python_prompts(text: str) -> str:
    lines = PYTHON_PROMPT.findall(text)
    return "\n".join(lines) if lines else text


def _strip_notebook_prompts(text: str) -> str:
    return NOTEBOOK_PROMPT.sub("", text)


def _strip_notebook_commands(text: str) -> str:
    return NOTEBOOK_LINE.sub("", text)


def _add_print_brackets(text: str) -> str:
    return PRINT_STATEMENT.sub(r"\1print(\2)", text)


def _strip_trailer(text: str) -> str:
    return text[:-MAX_TRAILER_CHARS] + TRAILER.sub("", text[-MAX_TRAILER_CHARS:])


def _strip_sentences(text: str) -> str:
    return SENTENCES.sub("", text)


def _replace_typographic(text: str) -> str:
    return text.translate(TYPOGRAPHIC)


UNWRAP_REPAIRS: Final[tuple[Repair, ...]] = (
    ("the fence around the program was taken off", strip_fence),
    ("the program was taken out of the words around it", _extract_code_blocks),
    ("the element around the program was taken off", _strip_element),
    ("the backticks around the program were taken off", _strip_backticks),
    ("the language's name in front of the program was taken off", strip_language_label),
    ("the notebook's prompts in the program were taken off", _strip_notebook_prompts),
)
# Without these the text is valid Python too, but with another meaning.
ALWAYS_APPLIED: Final = (strip_language_label, _strip_notebook_prompts)
UNESCAPE_REPAIR: Final[Repair] = ("\\n and other escapes in the program were resolved", unescape)
PYTHON_REPAIRS: Final[tuple[Repair, ...]] = (
    UNESCAPE_REPAIR,
    ("HTML entities in the program were resolved", html.unescape),
    ("typographic quotes in the program were made plain", _replace_typographic),
    ("the program was moved to the left margin", lambda text: textwrap.dedent(text).strip("\n")),
    ("the prompts in front of the program's lines were taken off", _strip_python_prompts),
    ("the notebook's own commands in the program were left out", _strip_notebook_commands),
    ("print without brackets was written as it is today", _add_print_brackets),
    ("what followed the program's end was left out", _strip_trailer),
    ("the sentences around the program were left out", _strip_sentences),
)


def _repair_python(code: str) -> RepairedProgram:
    """Apply the first repair, or two of them, that make `code` a program."""
    is_well = has_function_call(code) or (is_python(code) and "\\n" not in code)
    if is_well or len(code) > MAX_REPAIRED_CHARS:
        return RepairedProgram(code)
    tried = [RepairedProgram(repair(code), (note,)) for note, repair in PYTHON_REPAIRS]
    resolved = tried[0]
    twice = [
        RepairedProgram(repair(resolved.text), (*resolved.repairs, note))
        for note, repair in PYTHON_REPAIRS[1:]
    ]
    better = (each for each in (*tried, *twice) if has_function_call(each.text))
    return next(better, RepairedProgram(code))


def _repair_other(code: str, language: Language) -> RepairedProgram:
    note, resolve = UNESCAPE_REPAIR
    bare = LITERAL.sub("", code)
    is_escaped = NEXT_COMMAND.search(bare) if language == "bash" else "\\n" in bare
    if "\n" not in code.strip() and is_escaped:
        return RepairedProgram(resolve(code), (note,))
    if language == "bash" and ENTITY.search(bare):
        return RepairedProgram(html.unescape(code), (PYTHON_REPAIRS[1][0],))
    return RepairedProgram(code)


INTERPRETER_SESSION: Final = re.compile(r"\A\s*(?:>>> |In \[\d+\]:)")
PLACEHOLDER: Final = re.compile(
    r"<(?:your|insert|path|code|the)[\w -]*>|\byour_\w+_here\b", re.IGNORECASE
)

# At least two keys with values, and nothing but keys, lists and comments.
YAML_TEXT: Final = re.compile(
    r"(?:[ \t]*(?:#[^\n]*|---)?\n)*[A-Za-z_][\w.-]*:[ \t]+[^\n]+"
    r"(?:\n[ \t]*(?:#[^\n]*|---|-[ \t][^\n]*)?)*(?:\n[ \t]*[A-Za-z_][\w.-]*:(?:[ \t]+[^\n]*)?"
    r"(?:\n[ \t]*(?:#[^\n]*|---|-[ \t][^\n]*)?)*)+\s*"
)


def parse_code_block(
    fence: Fence, tools: OfferedTools, context: SurroundingText, *, has_result: bool
) -> ParsedCall | None:
    """Parse the call that a block stands for; None if it is not meant to be run."""
    language = fence.language or _guess_language(fence)
    tool = find_tool_for_language(language, tools) if language else None
    if tool is None or language is None or not fence.body.strip():
        return None
    if context.is_not_to_be_run or context.announces_output or _is_not_runnable(fence.body):
        return None
    if has_result and not context.announces_run:
        return None
    code = strip_shell_prompts(fence.body) if language == "bash" else fence.body
    parameter = tool.required[0] if tool.required else "code"
    whole = fence.is_closed or is_complete(language, code)
    return ParsedCall(tool.name, {parameter: code}, is_whole=whole, is_explicit=True)


def _guess_language(fence: Fence) -> Language | None:
    return (
        "python" if fence.label in ("", "tool_code") and has_print_statement(fence.body) else None
    )


def _is_not_runnable(code: str) -> bool:
    return bool(
        INTERPRETER_SESSION.match(code) or PLACEHOLDER.search(code) or YAML_TEXT.fullmatch(code)
    )


def find_tool_calls(code: str, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    """Find tool calls in a program that does nothing else: `print(exec_python(...))`."""
    tree = parse_python(code) if any(name in code for name in tools) else None
    if tree is None or not tree.body:
        return ()
    parsed = [_parse_statement(statement, tools) for statement in tree.body]
    calls = tuple(each for each in parsed if isinstance(each, ParsedCall))
    return calls if calls and None not in parsed else ()


def _parse_statement(statement: ast.stmt, tools: OfferedTools) -> ParsedCall | str | None:
    """The call in a statement; a text if it only prints, None if it does more."""
    if isinstance(statement, ast.Assign | ast.Expr):
        return _parse_expression(statement.value, tools)
    return "imports" if isinstance(statement, ast.Import | ast.ImportFrom) else None


def _parse_expression(expression: ast.expr, tools: OfferedTools) -> ParsedCall | str | None:
    if isinstance(expression, ast.Await):
        expression = expression.value
    if isinstance(expression, ast.Constant):
        return "says"
    if not isinstance(expression, ast.Call):
        return None
    name = ast.unparse(expression.func)
    if name.rsplit(".", 1)[-1] in tools:
        return _parse_call(expression, tools[name.rsplit(".", 1)[-1]])
    if name != "print":
        return None
    inner = [_parse_expression(each, tools) for each in expression.args]
    called = [each for each in inner if isinstance(each, ParsedCall)]
    return called[0] if len(called) == 1 else "prints"


def _parse_call(call: ast.Call, tool: OfferedTool) -> ParsedCall | None:
    names = (*tool.required, *(each for each in tool.parameters if each not in tool.required))
    try:
        positional = [ast.literal_eval(each) for each in call.args]
        arguments: dict[str, JsonValue] = dict(zip(names, positional, strict=False))
        arguments.update(
            {each.arg: ast.literal_eval(each.value) for each in call.keywords if each.arg}
        )
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    if len(positional) == 1 and isinstance(positional[0], dict) and not call.keywords:
        arguments = dict(positional[0])
    return ParsedCall(tool.name, arguments, is_explicit=True)
