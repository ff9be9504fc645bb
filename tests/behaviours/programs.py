"""The programs that the models of the suite want to run, and what each of them comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

ToolName: TypeAlias = Literal[
    "exec_python",
    "exec_shell",
    "exec_node",
    "exec_go",
    "exec_rust",
    "compress_runs",
    "research_echo",
]
PROGRAM_PARAMETER: Final[dict[str, str]] = {
    "exec_python": "code",
    "exec_node": "code",
    "exec_go": "code",
    "exec_rust": "code",
    "exec_shell": "cmd",
    "compress_runs": "s",
    "research_echo": "query",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program for one tool. What it `prints` stands in no program and in no task."""

    tool: ToolName
    code: str
    prints: str
    task: str = "Work it out with a tool and tell me the result."

    @property
    def key(self) -> tuple[str, str]:
        """The same for programs that differ in white space and quotes alone."""
        return program_key(self.tool, self.code)


def program_key(tool: str, code: str) -> tuple[str, str]:
    """What tells one program of a tool from another."""
    return tool, "".join(code.split()).replace("'", '"').rstrip(";")


RLE: Final = Program(
    "exec_python",
    'from itertools import groupby\nprint("".join(f"{k}{len(list(g))}" for k, g in'
    ' groupby("aabbbcc")))',
    "a2b3c2",
    "Compress the runs in aabbbcc. Use a tool.",
)
PRODUCT: Final = Program(
    "exec_python", "print(6789 * 4321)", "29335269", "What is 6789 * 4321? Use a tool."
)
LOOP: Final = Program(
    "exec_python",
    "total = 0\nfor n in range(1, 2001):\n    if n % 7 == 0:\n        total += n\nprint(total)",
    "285285",
    "Add up the numbers from 1 to 2000 that 7 divides. Use a tool.",
)
SHELL: Final = Program(
    "exec_shell", "echo $((6789 * 4321))", "29335269", "What is 6789 * 4321? Use a tool."
)
ECHO: Final = Program("exec_shell", "printf '%s' abc | wc -c | sed s/3/three-it-is/", "three-it-is")
NODE: Final = Program(
    "exec_node",
    "const n = [...Array(100).keys()].reduce((a, b) => a + b * 3, 0);\nconsole.log(n);",
    "14850",
    "Add up three times each number below 100. Use JavaScript.",
)
GO: Final = Program(
    "exec_go",
    'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println(6789 * 4321)\n}',
    "29335269",
    "What is 6789 * 4321? Use Go.",
)
RUST: Final = Program(
    "exec_rust",
    'fn main() {\n    println!("{}", 6789 * 4321);\n}',
    "29335269",
    "What is 6789 * 4321? Use Rust.",
)
RUNS: Final = Program(
    "compress_runs", "aabbbcc", "a2b3c2", "Compress the runs in aabbbcc. Use a tool."
)
BY_LANGUAGE: Final = {"python": RLE, "bash": SHELL, "javascript": NODE, "go": GO, "rust": RUST}
