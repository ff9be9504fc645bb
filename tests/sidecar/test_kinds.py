"""Which snippets want numpy and its like to be there already."""

from __future__ import annotations

import base64

import pytest

from codex_sidecar.kinds import (
    SANDBOX_KINDS,
    detect_preload,
    kind_language,
    kind_preload,
    select_kind,
)
from mini_agent.sandbox import Language, Snippet


@pytest.mark.parametrize(
    "code",
    [
        "import numpy",
        "import numpy as np; print(1)",
        "x = 1\n\tfrom pandas import DataFrame",
        "import os, json as j, matplotlib.pyplot as plt",
        "from sklearn.linear_model import Ridge",
        "def f():\n    import scipy.stats",
        "import   seaborn",
    ],
)
def test_a_line_that_imports_them_does(code: str) -> None:
    assert detect_preload(Snippet(language="python", code=code)) == "data"


@pytest.mark.parametrize(
    "code",
    [
        "print('import numpy')",
        "# import numpy",
        "import numpyish",
        "import my.numpy",
        "import os\nnumpy = 1",
        "from . import x",
        "importnumpy",
    ],
)
def test_a_line_that_does_not_import_them_does_not(code: str) -> None:
    assert detect_preload(Snippet(language="python", code=code)) == "plain"


@pytest.mark.parametrize("language", ["bash", "node", "go", "rust"])
def test_other_languages_do_not(language: Language) -> None:
    assert detect_preload(Snippet(language=language, code="import numpy")) == "plain"


def test_a_clean_interpreter_has_nothing_loaded() -> None:
    snippet = Snippet(language="python", code="import numpy", isolation="spawn")
    assert detect_preload(snippet) == "plain"


def test_modules_of_the_snippets_own_are_read_too() -> None:
    content = base64.b64encode(b"import pandas as pd").decode()
    assert (
        detect_preload(Snippet(language="python", code="import mine", files={"mine.py": content}))
        == "data"
    )
    assert (
        detect_preload(Snippet(language="python", code="1", files={"mine.txt": content})) == "plain"
    )


@pytest.mark.parametrize("kind", SANDBOX_KINDS)
def test_a_kind_is_that_of_its_language_and_its_preload(kind: str) -> None:
    (this,) = (one for one in SANDBOX_KINDS if one == kind)
    assert select_kind(kind_language(this), kind_preload(this)) == kind
