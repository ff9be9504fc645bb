"""What a language makes of a program's text, and whether the program asks for its own place."""

from __future__ import annotations

import pytest

from mini_agent_protocol.languages import SPECS, Language


@pytest.mark.parametrize(
    ("language", "code", "source"),
    [
        ("python", "\ufeffx = 1", "x = 1"),
        ("python", "# -*- coding: latin-1 -*-\nx", "# -*- coding: utf-8 -*-\nx"),
        (
            "python",
            "#!python\n# vim: set fileencoding=cp1252 :",
            "#!python\n# vim: set fileencoding=utf-8 :",
        ),
        ("python", "\n# coding=ascii\n", "\n# coding=utf-8\n"),
        ("python", "x = 1\n# coding: latin-1\n", "x = 1\n# coding: latin-1\n"),
        ("python", "#\n#\n# coding: latin-1\n", "#\n#\n# coding: latin-1\n"),
        ("python", "x = '# coding: latin-1'", "x = '# coding: latin-1'"),
        ("python", "x\r\ny\r\n", "x\r\ny\r\n"),
        ("bash", "\ufeffa\r\nb\r\n", "a\nb\n"),
        ("bash", "a\r\nb\n", "a\r\nb\n"),
        ("bash", "# coding: latin-1\n", "# coding: latin-1\n"),
        ("go", "\ufeffpackage main\r\n", "package main\r\n"),
    ],
)
def test_the_text_of_a_program(language: Language, code: str, source: str) -> None:
    assert SPECS[language].source(code) == source


@pytest.mark.parametrize(
    ("language", "code", "beside"),
    [
        ("python", "print(1)", False),
        ("python", "import util", False),
        ("python", "from pathlib import Path\nPath(__file__).parent", True),
        ("python", "import sys\nsys.argv[0]", True),
        ("node", "const fs = require('fs'); fs.readdirSync('.')", False),
        ("node", "require('./util')", True),
        ("node", 'import x from "../util.mjs"', True),
        ("node", "console.log(__dirname)", True),
        ("node", "await import(name)", True),
        ("bash", "ls; echo $1 $00", False),
        ("bash", 'cd "$(dirname "$0")"', True),
        ("bash", "echo ${BASH_SOURCE[0]}", True),
        ("go", "package main", True),
        ("rust", "fn main() {}", True),
    ],
)
def test_a_program_that_asks_for_its_place(language: Language, code: str, beside: bool) -> None:
    assert SPECS[language].lies_beside(code) is beside
