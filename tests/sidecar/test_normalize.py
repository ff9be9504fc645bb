"""Code that cannot be valid as it was sent is changed, and no other."""

from __future__ import annotations

import pytest

from codex_sidecar.runner.normalize import normalize_code


@pytest.mark.parametrize(
    ("language", "code", "meant"),
    [
        ("python", "```\nx = 1\n```", "x = 1\n"),
        ("python", "  ```py\nx = 1\n  ```  \n\n", "x = 1\n"),
        ("go", "```go\npackage main\n```\n", "package main\n"),
        ("bash", "````bash\nls\n````", "ls\n"),
        ("python", "\tx = 1\n\tif x:\n\t\tpass", "x = 1\nif x:\n\tpass"),
        ("python", "\n  # why\n  x = 1\ny = 2", "\n# why\nx = 1\ny = 2"),
        ("python", "In [1]: x = 1\nIn [2]: x\nOut[2]: 1\n", "x = 1\nx\n"),
        ("python", "\ufeff```python\r\n  print(1)\r\n```", "print(1)\n"),
        ("bash", "ls\r\n", "ls\n"),
    ],
)
def test_it_becomes_what_was_meant_and_that_is_said(language: str, code: str, meant: str) -> None:
    changed, changes = normalize_code(code, language)
    assert changed == meant
    assert changes


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "x = '''\n```\na\n```\n'''\n"),
        ("python", "```python\na\n```\nand\n```python\nb\n```"),
        ("python", "```python\nx = 1"),
        ("python", "# `x`\nprint(1)"),
        ("python", "    # a remark\nx = 1\n"),
        ("python", "x = 1\n>>> y"),
        ("python", "print(1)\r\n"),
        ("python", ""),
        ("python", "\n\n"),
        ("node", "  let x = 1;\n  x;"),
        ("node", "```poem\nroses\n```"),
        ("bash", "cat <<X\na\r\nX\n"),
        ("bash", "  ls\n  pwd\n"),
        ("go", "\tpackage main\n"),
    ],
)
def test_what_can_be_valid_stays_as_it_is(language: str, code: str) -> None:
    assert normalize_code(code, language) == (code, ())
