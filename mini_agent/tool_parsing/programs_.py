"""Whether a text is a program, and a whole one."""

from __future__ import annotations

import ast
import re
import warnings
from typing import Final

from mini_agent_protocol.languages import Language

LONGEST: Final = 200_000
PAIRS: Final = {")": "(", "]": "[", "}": "{"}
LITERAL: Final = re.compile(
    r"//[^\n]*|/\*.{0,20000}?\*/|`[^`]*+`|\"(?:[^\"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.){1,80}'",
    re.DOTALL,
)
BRACKET: Final = re.compile(r"[()\[\]{}]")
WHOLE: Final[dict[Language, re.Pattern[str]]] = {
    "go": re.compile(r"func main\(\)\s*\{.*\}\s*\Z", re.DOTALL),
    "rust": re.compile(r"fn main\(\).*\}\s*\Z", re.DOTALL),
    "node": re.compile(r"\(.*[)};]\s*\Z", re.DOTALL),
}
PROMPT: Final = re.compile(r"^\$ ?(.*)$", re.MULTILINE)


def python_tree(code: str) -> ast.Module | None:
    """The syntax tree of `code`; None when it is no Python, or longer than anyone writes."""
    if len(code) > LONGEST:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def is_python(code: str) -> bool:
    """Whether `code` is Python, however little it does."""
    return bool(code.strip()) and python_tree(code) is not None


def does_something(code: str) -> bool:
    """Whether `code` is Python that calls a function; words and numbers alone are Python too."""
    tree = python_tree(code)
    return tree is not None and any(isinstance(node, ast.Call) for node in ast.walk(tree))


def prints(code: str) -> bool:
    """Whether `code` is Python with a statement that prints, outside of any function."""
    tree = python_tree(code)
    return tree is not None and any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
        for statement in tree.body
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef)
        for node in ast.walk(statement)
    )


def seems_whole(language: Language, code: str) -> bool:
    """Whether a program whose end was not marked ends where it should."""
    if language == "python":
        return does_something(code)
    # Any beginning of a command line is one as well, and may do more harm: rm -rf /tmp/x.
    return language != "bash" and bool(WHOLE[language].search(code)) and _is_balanced(code)


def leading_program(language: Language, text: str) -> str:
    """The paragraphs at the beginning of `text` that are a program; all of it where none are."""
    paragraphs = text.split("\n\n")
    for count in range(len(paragraphs), 0, -1):
        begun = "\n\n".join(paragraphs[:count])
        if seems_whole(language, begun):
            return begun
    return paragraphs[0] if language == "bash" else text


def _is_balanced(code: str) -> bool:
    if len(code) > LONGEST:
        return False
    waiting: list[str] = []
    for bracket in BRACKET.findall(LITERAL.sub("", code)):
        if bracket in PAIRS.values():
            waiting.append(bracket)
        elif not waiting or waiting.pop() != PAIRS[bracket]:
            return False
    return not waiting


def without_prompts(script: str) -> str:
    """A shell session's commands alone, where its first line begins with a `$` prompt."""
    if not script.lstrip().startswith("$ "):
        return script
    return "\n".join(PROMPT.findall(script))
