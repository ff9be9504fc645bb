"""The code blocks of one reply together: alternatives, and programs that need earlier ones."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from mini_agent.tool_parsing.programs import parse_python
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall, TextSpan
from mini_agent.tools.names import get_tool_language

CHOICE: Final = (
    r"options?|alternatives?|approach|method|variant|version|solution|way|choice|möglichkeit|"
    r"variante|lösung|weg|opción|opcion|alternativa|solución|método|metodo|variant[ea]|méthode|"
    r"opzione|soluzione|opção|solução|optie|opcja|seçenek|вариант|способ|方案|方法|选项|選項|選択肢|案|"
    r"옵션|방법"
)
ORDINAL: Final = r"(?:[A-D]|[1-9]|one|two|three|first|second|I{1,3}|[一二三四])"
CHOICE_LABEL: Final = re.compile(
    rf"^[ \t>*#_(\[-]*(?:\d[.)][ \t]*)?[*_]*(?:(?:{CHOICE})[ \t]*(?:#|n[°o.]+)?[ \t]*{ORDINAL}"
    rf"|(?:first|second|third|another) (?:{CHOICE}))(?![\w])",
    re.IGNORECASE | re.MULTILINE,
)
OR_BETWEEN: Final = re.compile(
    r"\A\W*(?:or|or else|or alternatively|oder|o bien|ou bien|ou|oppure|o|of|lub|eller|или|либо|"
    r"或者?|または|あるいは|또는)\W*\Z"
    r"|^\W*(?:alternatively|or,? alternatively|or(?=[,:])|or (?:you|we|I) (?:can|could)|"
    r"as an alternative|"
    r"another (?:way|option|approach)|alternativ\w*|oder(?=[,:])|als alternative|en alternative|"
    r"как вариант|另一种(?:方法|方案)|別の方法)\b",
    re.IGNORECASE | re.MULTILINE,
)
WHICH_QUESTION: Final = re.compile(
    r"\bwhich (?:one|of|option|version|approach|solution|do|would|should)\b[^.!\n]{0,80}\?"
    r"|\b(?:tell me|let me know|choose|pick|say) (?:which|what|one)\b"
    r"|\b(?:welche[srn]?|laquelle|lequel|cuál|qual|quale|welke|który|która|какой|какую)\b[^.!\n]{0,80}\?"
    r"|(?:哪一?[个個种種]|どちら|どれ|어느)",
    re.IGNORECASE,
)
MAX_LABEL_CHARS: Final = 200
BUILTIN_NAMES: Final = frozenset(dir(builtins))


def are_alternatives(text: str, blocks: Sequence[TextSpan]) -> bool:
    """Tell whether `text` offers its blocks for a choice, not to be run one after the other."""
    if len(blocks) < 2:
        return False
    starts = (0, *(each.end for each in blocks[:-1]))
    leads = [text[start : each.start] for start, each in zip(starts, blocks, strict=True)]
    labelled = [lead for lead in leads if CHOICE_LABEL.search(lead[-MAX_LABEL_CHARS:])]
    between = leads[1:]
    rest = text[blocks[-1].end :]
    return (
        len(labelled) > 1
        or any(OR_BETWEEN.search(lead) for lead in between)
        or bool(WHICH_QUESTION.search(rest[:MAX_LABEL_CHARS]))
    )


def join_dependent_blocks(blocks: Sequence[TextSpan], tools: OfferedTools) -> Iterator[TextSpan]:
    """Yield `blocks` in order; Python that needs an earlier block's names is joined to that block.

    Each call runs in a process of its own, which knows nothing of the calls before it.
    """
    waiting: list[TextSpan] = []
    for block in blocks:
        program = _python_program(block, tools)
        earlier = _python_program(waiting[-1], tools) if waiting else None
        if program and earlier and _needs(program, earlier):
            waiting[-1] = _join(waiting[-1], f"{earlier}\n\n{program}")
        else:
            waiting.append(block)
    yield from waiting


def _python_program(block: TextSpan, tools: OfferedTools) -> str | None:
    (call,) = block.calls
    tool = tools.get(call.name)
    named = call.arguments if isinstance(call.arguments, dict) else {}
    texts = [value for value in named.values() if isinstance(value, str)]
    is_python = tool is not None and get_tool_language(tool) == "python"
    return texts[0] if is_python and call.is_whole and len(texts) == 1 else None


def _join(block: TextSpan, program: str) -> TextSpan:
    (call,) = block.calls
    named = call.arguments if isinstance(call.arguments, dict) else {}
    joined = ParsedCall(call.name, dict.fromkeys(named, program), is_explicit=True)
    return replace(block, calls=(joined,), note=f"{block.note}, with the block that needs it")


def _needs(program: str, earlier: str) -> bool:
    """Tell whether `program` uses a name that only `earlier` binds."""
    tree, before = parse_python(program), parse_python(earlier)
    if tree is None or before is None:
        return False
    return bool(_free_names(tree) & _bound(before))


def _free_names(tree: ast.Module) -> set[str]:
    """The names that a program reads before it binds them; functions are called at its end."""
    bound: set[str] = set()
    free: set[str] = set()
    for statement in tree.body:
        free |= _read(statement) - _known(statement, tree, bound)
        bound |= _bound(statement)
    return free - BUILTIN_NAMES


def _read(statement: ast.stmt) -> set[str]:
    read = {each.id for each in _names(statement) if isinstance(each.ctx, ast.Load)}
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        read.add(statement.target.id)
    return read


def _known(statement: ast.stmt, tree: ast.Module, bound: set[str]) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return _bound(tree)
    if isinstance(statement, ast.Assign | ast.AugAssign):
        return bound | _bound(statement.value)
    return bound | _bound(statement)


def _names(tree: ast.AST) -> Iterable[ast.Name]:
    return (each for each in ast.walk(tree) if isinstance(each, ast.Name))


def _bound(tree: ast.AST) -> set[str]:
    """The names that a program binds at any depth: assigned, imported, defined, arguments."""
    bound = {each.id for each in _names(tree) if isinstance(each.ctx, ast.Store)}
    for each in ast.walk(tree):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(each.name)
        elif isinstance(each, ast.arg):
            bound.add(each.arg)
        elif isinstance(each, ast.alias):
            bound.add((each.asname or each.name).split(".")[0])
    return bound
