"""The suite's tools as plain functions with types and words, which every agent takes."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable

Tool = Callable[..., str]


def build_tools(address: str) -> list[Tool]:  # noqa: C901  seven small functions
    """The seven tools, as functions with types and words, which all of them take."""

    def called(name: str, **arguments: str | float) -> str:
        body = json.dumps({"name": name, "arguments": arguments}).encode()
        with urllib.request.urlopen(address, body, timeout=30) as answer:  # noqa: S310  loopback
            return str(json.load(answer)["text"])

    def exec_python(code: str, timeout_s: float = 10.0) -> str:
        """Run a Python program and get what it prints.

        Args:
            code: The whole program.
            timeout_s: Seconds it may take.
        """
        return called("exec_python", code=code, timeout_s=timeout_s)

    def exec_shell(cmd: str, timeout_s: float = 10.0) -> str:
        """Run a command line and get what it prints.

        Args:
            cmd: The command line.
            timeout_s: Seconds it may take.
        """
        return called("exec_shell", cmd=cmd, timeout_s=timeout_s)

    def exec_node(code: str, timeout_s: float = 10.0) -> str:
        """Run a JavaScript program with Node.js and get what it prints.

        Args:
            code: The whole program.
            timeout_s: Seconds it may take.
        """
        return called("exec_node", code=code, timeout_s=timeout_s)

    def exec_go(code: str, timeout_s: float = 10.0) -> str:
        """Compile and run a Go program and get what it prints.

        Args:
            code: The whole program.
            timeout_s: Seconds it may take.
        """
        return called("exec_go", code=code, timeout_s=timeout_s)

    def exec_rust(code: str, timeout_s: float = 10.0) -> str:
        """Compile and run a Rust program and get what it prints.

        Args:
            code: The whole program.
            timeout_s: Seconds it may take.
        """
        return called("exec_rust", code=code, timeout_s=timeout_s)

    def compress_runs(s: str) -> str:
        """Run-length encode one string: each character and its count, aaabbc -> a3b2c1.

        Args:
            s: The string to encode.
        """
        return called("compress_runs", s=s)

    def research_echo(query: str) -> str:
        """Look a question up and get the evidence as text.

        Args:
            query: What to look up.
        """
        return called("research_echo", query=query)

    programs = [exec_python, exec_shell, exec_node, exec_go, exec_rust]
    return [*programs, compress_runs, research_echo]
