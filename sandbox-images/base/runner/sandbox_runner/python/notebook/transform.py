"""A program with the habits of notebooks as Python: `!command`, `%magic`, `%%magic`, `name?`."""

import re

MAX_LINES = 500
ONLY_AST_AND_AWAIT = 0x2400
_ASSIGNED = re.compile(r"^(\s*[\w.,\[\]'\" ]+?=\s*)([!%])(.*)$")
_COMMAND = re.compile(r"^(\s*)(!{1,2}|%)(?!%)(.*)$")
_HELP = re.compile(r"^(\s*)(?:\?{1,2}\s*([\w.]+)|([\w.]+)\s*\?{1,2})\s*$")
_CELL = re.compile(r"^\s*%%(\w+)[ \t]*(.*)$")


def transform(source: str, name: str) -> str | None:
    """The program as Python, line for line; None where notebooks would not understand it either."""
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if cell := _CELL.match(lines[first]):
        return _cell_call(cell, lines, first)
    for replaced in range(MAX_LINES):
        try:
            compile("\n".join(lines), name, "exec", ONLY_AST_AND_AWAIT, dont_inherit=True)
        except SyntaxError as wrong:
            if not _replace(lines, (wrong.lineno or 0) - 1):
                # What is left to complain about is told of the program as it is now.
                return "\n".join(lines) if replaced else None
        else:
            return "\n".join(lines)
    return None


def _cell_call(cell: re.Match[str], lines: list[str], first: int) -> str:
    # The lines keep their numbers.
    body = "\n" * (first + 1) + "\n".join(lines[first + 1 :])
    call = f"get_ipython().run_cell_magic({cell[1]!r}, {cell[2].strip()!r}, {body!r})"
    return "\n" * first + call


def _replace(lines: list[str], number: int) -> bool:
    if not 0 <= number < len(lines):
        return False
    line = lines[number]
    if cell := _CELL.match(line):
        lines[number:] = _cell_call(cell, lines, number)[number:].split("\n")
        return True
    call = _call(line)
    if not call:
        return False
    # A command may go on in the next line.
    while line.endswith("\\") and number + 1 < len(lines):
        line = line[:-1] + lines.pop(number + 1).strip()
        call = _call(line)
    lines[number] = call
    return True


def _call(line: str) -> str:
    if found := _HELP.match(line):
        return f"{found[1]}get_ipython().help({found[2] or found[3]!r})"
    if found := _COMMAND.match(line):
        return f"{found[1]}{_method(found[2][0], found[3], 'system')}"
    if found := _ASSIGNED.match(line):
        return f"{found[1]}{_method(found[2], found[3], 'getoutput')}"
    return ""


def _method(sign: str, text: str, method: str) -> str:
    if sign == "!":
        return f"get_ipython().{method}({text.strip()!r})"
    name, _, rest = text.strip().partition(" ")
    return f"get_ipython().run_line_magic({name!r}, {rest.strip()!r})"
