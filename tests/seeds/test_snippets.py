"""Finding the Python in a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.seeds.snippets import VARIABLE, named_folder, snippets_in

PAGE = """# A page

```bash
pip install it
```

```python title="first"
answer = 6 * 7
```

  words between

```python
print(answer)
```

```text
print("not this")
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "page.md").write_text(PAGE)
    (tmp_path / "code.py").write_text("```python\nno_page()\n```\n")
    return tmp_path


def test_pieces_are_found_by_page_and_line(folder: Path) -> None:
    assert [str(snippet) for snippet in snippets_in(folder)] == ["page.md:7", "page.md:13"]


def test_a_piece_is_run_below_what_its_page_shows_above_it(folder: Path) -> None:
    assert snippets_in(folder)[1].program == "answer = 6 * 7\nprint(answer)\n"


def test_the_folder_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(folder))
    assert named_folder() == folder


def test_a_wrong_name_is_an_error_and_not_an_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/nowhere")
    with pytest.raises(NotADirectoryError, match="MINI_AGENT_SEEDS=/nowhere is no folder"):
        named_folder()
