"""The snippets that are timed."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from mini_agent.sandbox import Language

PANDAS: Final = (
    "import numpy as np\nimport pandas as pd\nprint(pd.DataFrame({'a': np.arange(5)}).a.sum() - 9)"
)


@dataclass(frozen=True, slots=True)
class ChangingProgram:
    """A program that is another one for each number, which it prints."""

    language: Language
    ending: str
    text: str

    def code(self, number: int) -> str:
        """The program for a number."""
        return self.text.replace("NUMBER", str(number))


CHANGING_PROGRAMS: Final = MappingProxyType(
    {
        "go": ChangingProgram(
            "go", "go", 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(NUMBER) }'
        ),
        "rust": ChangingProgram("rust", "rs", 'fn main() { println!("{}", NUMBER); }'),
    }
)
