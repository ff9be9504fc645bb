"""Hints for the model: what to do about a failure whose cause is known."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from mini_agent.tools.invoker import ToolOutput

# Packages of the python image (docs/packages.md), by the names they import as.
SANDBOX_PACKAGES: Final = (
    "numpy, pandas, scipy, matplotlib, seaborn, sklearn, statsmodels, sympy, networkx, plotly, "
    "PIL, openpyxl, xlsxwriter, docx, pypdf, reportlab, bs4, lxml, yaml, jinja2"
)
PROGRAM_TOOL_PREFIX: Final = "exec_"
IMPORTS: Final = MappingProxyType(
    {
        "np": "import numpy as np",
        "pd": "import pandas as pd",
        "plt": "import matplotlib.pyplot as plt",
        "sns": "import seaborn as sns",
        "Counter": "from collections import Counter",
        "defaultdict": "from collections import defaultdict",
        "deque": "from collections import deque",
        "groupby": "from itertools import groupby",
        "permutations": "from itertools import permutations",
        "combinations": "from itertools import combinations",
        "product": "from itertools import product",
        "accumulate": "from itertools import accumulate",
        "reduce": "from functools import reduce",
        "lru_cache": "from functools import lru_cache",
        "sqrt": "from math import sqrt",
        "gcd": "from math import gcd",
        "Fraction": "from fractions import Fraction",
        "Decimal": "from decimal import Decimal",
        "datetime": "from datetime import datetime",
        "timedelta": "from datetime import timedelta",
        "Path": "from pathlib import Path",
        "dataclass": "from dataclasses import dataclass",
        "Optional": "from typing import Optional",
        "List": "from typing import List",
        "Dict": "from typing import Dict",
    }
)


def find_hint(name: str, output: ToolOutput) -> str:
    """Find the hint for the output of the tool `name`; empty when there is none."""
    if output.ok:
        return _hint_no_output(name, output)
    if output.status in HINT_BY_STATUS:
        return HINT_BY_STATUS[output.status](output)
    # What a program complains about last is what ended it.
    complaint = output.stderr[-4000:]
    for sign, advise in HINT_PATTERNS:
        found = [*sign.finditer(complaint)]
        if found:
            return advise(found[-1], output)
    return ""


def _hint_no_output(name: str, output: ToolOutput) -> str:
    is_program = name.startswith(PROGRAM_TOOL_PREFIX) and name != "exec_shell"
    has_result = output.execution is not None and output.execution.result_repr is not None
    if not is_program or has_result or output.stdout.strip() or output.stderr.strip():
        return ""
    return "the program ran but printed nothing: print the result to see it"


def _hint_timeout(output: ToolOutput) -> str:
    limit = f" of {output.execution.limits.timeout_s:g} s" if output.execution else ""
    return (
        f"it was stopped at its time limit{limit}: look for an endless loop, do less work, or pass "
        "a larger timeout_s"
    )


def _hint_memory(output: ToolOutput) -> str:
    limit = f" than {output.execution.limits.memory_mb} MB" if output.execution else ""
    return f"it needed more memory{limit}: keep less at a time"


def _hint_output(_: ToolOutput) -> str:
    return "print less: a summary, or write the rest to a file"


HINT_BY_STATUS: Final = MappingProxyType[str, Callable[[ToolOutput], str]](
    {"timeout": _hint_timeout, "oom": _hint_memory, "output_limit": _hint_output}
)


def _hint_missing_module(found: re.Match[str], output: ToolOutput) -> str:
    module = found[1]
    if output.execution is None:
        return f"{module} is not installed: do without it"
    return (
        f"{module} is not installed and nothing can be installed: use the standard library or "
        f"{SANDBOX_PACKAGES}"
    )


def _hint_missing_name(found: re.Match[str], output: ToolOutput) -> str:
    del output
    name = found[1]
    if name in IMPORTS:
        return f"add: {IMPORTS[name]}"
    return f"add: import {name}" if name in sys.stdlib_module_names else ""


def _hint_missing_file(found: re.Match[str], output: ToolOutput) -> str:
    del found
    if output.execution is not None and output.execution.session is None:
        return "every call starts in an empty folder: write the file in the same program"
    return "list the files that are there first"


def _hint_no_network(found: re.Match[str], output: ToolOutput) -> str:
    del found
    if output.execution is None or output.execution.sandbox.network != "none":
        return ""
    return "there is no network in the sandbox: work with what the task gives you"


def _hint_read_only(found: re.Match[str], output: ToolOutput) -> str:
    del found
    return "only the working folder can be written" if output.execution else ""


def _fixed_hint(sentence: str) -> Callable[[re.Match[str], ToolOutput], str]:
    def advise(found: re.Match[str], output: ToolOutput) -> str:
        del output
        return found.expand(sentence)

    return advise


HintBuilder = Callable[[re.Match[str], ToolOutput], str]
HINT_PATTERNS: Final[tuple[tuple[re.Pattern[str], HintBuilder], ...]] = tuple(
    (re.compile(sign, re.MULTILINE), advise)
    for sign, advise in (
        (r"^ModuleNotFoundError: No module named '([\w.]+)'", _hint_missing_module),
        (
            r"Cannot find (?:module|package) '([^']+)'",
            _fixed_hint(r"\1 is not there: use Node's own modules"),
        ),
        (r"^NameError: name '(\w+)' is not defined(?!\. Did you mean)", _hint_missing_name),
        (
            r"^(?:IndentationError|TabError)",
            _fixed_hint("indent with four spaces, the same in a block"),
        ),
        (
            r"^EOFError: EOF when reading",
            _fixed_hint("there is no input: put the values into the program"),
        ),
        (
            r"^SyntaxError: unexpected character after line continuation",
            _fixed_hint("write real line breaks in the program, not \\\\n"),
        ),
        (r"(?:declared and not used|imported and not used)", _fixed_hint("remove it, or use it")),
        (r"FileNotFoundError|ENOENT|No such file or directory|no such file", _hint_missing_file),
        (
            r"name resolution|Network is unreachable|ENOTFOUND|EAI_AGAIN|getaddrinfo|dial tcp",
            _hint_no_network,
        ),
        (r"Read-only file system|EROFS|PermissionError|Permission denied|EACCES", _hint_read_only),
        (
            r"^.*?(\S+): (?:command )?not found$",
            _fixed_hint(r"there is no command \1: do it another way"),
        ),
    )
)
