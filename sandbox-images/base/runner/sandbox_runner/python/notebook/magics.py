"""What the transformed lines of a notebook call: shell commands and magics."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import metadata
from io import StringIO

SHELL = "/bin/bash"
RUNS, MIN_RUN_S = 7, 0.05
_VARIABLE = re.compile(r"\{([^{}]+)\}|\$(\w+)")
_PIP = re.compile(
    r"^(?:python3?\s+-m\s+)?(?:pip3?|uv\s+pip|conda|mamba)\s+(install|list|freeze)\b(.*)"
)
_SEPARATORS = re.compile(r"[-_.]+")
# They set up what is here already, or what only a person at a screen has.
IGNORED = (
    "matplotlib",
    "load_ext",
    "reload_ext",
    "autoreload",
    "config",
    "colors",
    "xmode",
    "pylab",
)

RunSource = Callable[[str, str, dict[str, object]], object]
Show = Callable[[str, str], None]


class UsageError(Exception):
    """A magic that is not here, or that was called wrongly."""

    __module__ = "builtins"


class Notebook:
    """What `get_ipython()` returns to the lines that were transformed."""

    def __init__(self, user_ns: dict[str, object], run_source: RunSource, show: Show) -> None:
        self.user_ns, self._run_source, self._show = user_ns, run_source, show

    def system(self, command: str) -> None:
        """Runs a shell command; what it prints is printed."""
        command = self._expand(command)
        if not self._answer_pip(command):
            sys.stdout.flush()
            self.user_ns["_exit_code"] = subprocess.run(
                [SHELL, "-c", command], check=False
            ).returncode

    def getoutput(self, command: str) -> list[str]:
        """Runs a shell command; the lines that it prints."""
        done = subprocess.run(
            [SHELL, "-c", self._expand(command)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.stdout.splitlines()

    def run_line_magic(self, name: str, line: str) -> object:
        """Runs a magic of one line."""
        if name in IGNORED:
            return None
        magic = getattr(self, f"_line_{name}", None)
        if magic is None:
            raise UsageError(f"Line magic function `%{name}` not found.")
        return magic(self._expand(line) if name not in ("time", "timeit") else line)

    def run_cell_magic(self, name: str, line: str, cell: str) -> object:
        """Runs a magic of a whole cell."""
        magic = getattr(self, f"_cell_{name}", None)
        if magic is None:
            raise UsageError(f"Cell magic `%%{name}` not found.")
        return magic(line, cell)

    def help(self, name: str) -> None:
        """Prints the documentation of what has that name."""
        import pydoc  # noqa: PLC0415 - slow, and rarely needed

        plain = vars(pydoc)["plaintext"]
        print(pydoc.render_doc(self._value(name), renderer=plain))

    def _line_time(self, line: str) -> object:
        return self._timed(line)

    def _cell_time(self, _line: str, cell: str) -> object:
        return self._timed(cell)

    def _line_timeit(self, line: str) -> None:
        self._measure(re.sub(r"^(?:-\w+\s*\d*\s+)+", "", line), "pass")

    def _cell_timeit(self, line: str, cell: str) -> None:
        self._measure(cell.strip("\n"), re.sub(r"^(?:-\w+\s*\d*\s*)+", "", line) or "pass")

    def _cell_capture(self, line: str, cell: str) -> None:
        printed, complained = StringIO(), StringIO()
        with redirect_stdout(printed), redirect_stderr(complained):
            self._run(cell)
        if line and line.isidentifier():
            self.user_ns[line] = _Captured(printed.getvalue(), complained.getvalue())

    def _cell_bash(self, _line: str, cell: str) -> None:
        sys.stdout.flush()
        done = subprocess.run([SHELL, "-s"], input=cell, text=True, check=False)
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, SHELL)

    _cell_sh = _cell_bash

    def _cell_writefile(self, line: str, cell: str) -> None:
        mode = "a" if line.startswith("-a ") else "w"
        path = line.removeprefix("-a ").strip().strip("'\"")
        existed = os.path.exists(path)
        with open(path, mode, encoding="utf-8") as file:
            file.write(cell.lstrip("\n") + "\n" * (not cell.endswith("\n")))
        print("Appending to" if mode == "a" else "Overwriting" if existed else "Writing", path)

    def _cell_html(self, _line: str, cell: str) -> None:
        self._show("text/html", cell.strip("\n"))

    def _cell_markdown(self, _line: str, cell: str) -> None:
        self._show("text/markdown", cell.strip("\n"))

    def _cell_latex(self, _line: str, cell: str) -> None:
        self._show("text/latex", cell.strip("\n"))

    def _cell_python(self, _line: str, cell: str) -> object:
        return self._run(cell)

    _cell_python3 = _cell_python

    def _line_pip(self, line: str) -> None:
        self.system(f"pip {line}")

    _line_conda = _line_pip

    def _line_cd(self, line: str) -> None:
        os.chdir(os.path.expanduser(line.strip("'\"") or "~"))
        print(os.getcwd())

    def _line_pwd(self, _line: str) -> str:
        return os.getcwd()

    def _line_ls(self, line: str) -> None:
        self.system(f"ls {line}")

    def _line_sx(self, line: str) -> list[str]:
        return self.getoutput(line)

    def _line_env(self, line: str) -> object:
        name, sign, value = line.replace(" ", "=", 1).partition("=")
        if not name:
            return dict(os.environ)
        if sign:
            os.environ[name] = value.strip()
            print(f"env: {name}={value.strip()}")
            return None
        return os.environ.get(name)

    def _line_run(self, line: str) -> None:
        path, _, arguments = line.partition(" ")
        with open(path, encoding="utf-8") as source:
            text = source.read()
        before, sys.argv = sys.argv, [path, *arguments.split()]
        try:
            self._run_source(text, path, self.user_ns)
        finally:
            sys.argv = before

    def _line_who(self, _line: str) -> None:
        print("\t".join(sorted(name for name in self.user_ns if name[0] != "_")))

    _line_whos = _line_who

    def _run(self, source: str) -> object:
        name = str(self.user_ns.get("__file__", "<magic>"))
        value = self._run_source(source, name, self.user_ns)
        return value if type(value) is not object else None

    def _timed(self, source: str) -> object:
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return self._run(source)
        finally:
            used = time.process_time() - cpu
            print(f"CPU times: total: {_seconds(used)}")
            print(f"Wall time: {_seconds(time.perf_counter() - wall)}")

    def _measure(self, statement: str, setup: str) -> None:
        import timeit  # noqa: PLC0415 - rarely needed

        timer = timeit.Timer(statement, setup, globals=self.user_ns)
        number = 1
        while (took := timer.timeit(number)) < MIN_RUN_S:
            number *= 10
        times = [each / number for each in (took, *timer.repeat(RUNS - 1, number))]
        mean = sum(times) / RUNS
        spread = (sum((each - mean) ** 2 for each in times) / RUNS) ** 0.5
        print(
            f"{_seconds(mean)} ± {_seconds(spread)} per loop "
            f"(mean ± std. dev. of {RUNS} runs, {number:,} loop{'s' * (number > 1)} each)"
        )

    def _expand(self, text: str) -> str:
        def value(found: re.Match[str]) -> str:
            try:
                return str(self._value(found[1] or found[2]))
            except (NameError, SyntaxError, TypeError, AttributeError, LookupError):
                # Then it is the shell's.
                return found[0]

        return _VARIABLE.sub(value, text)

    def _value(self, expression: str) -> object:
        return eval(expression, self.user_ns)  # noqa: S307 - the program's own

    def _answer_pip(self, command: str) -> bool:
        """Answers for an installer, which finds no index without a network."""
        found = _PIP.match(command.strip())
        if found is None or any(name.startswith(("PIP_", "UV_")) for name in os.environ):
            return False
        if found[1] != "install":
            for name, version in sorted(_installed().items()):
                print(f"{name:<28}{version}" if found[1] == "list" else f"{name}=={version}")
            return True
        names = (word.strip("'\"") for word in found[2].split() if word[0] not in "-<>=")
        _report_packages([re.split(r"[\[<>=!~;]", name)[0] for name in names])
        return True


class _Captured:
    def __init__(self, stdout: str, stderr: str) -> None:
        self.stdout, self.stderr = stdout, stderr

    def show(self) -> None:
        print(self.stdout, end="")
        print(self.stderr, end="", file=sys.stderr)

    __call__ = show

    def __str__(self) -> str:
        return self.stdout


def _installed() -> dict[str, str]:
    # Debian's own additions to a version mean nothing to an installer.
    found = ((each.name, each.version) for each in metadata.distributions())
    return {name: version.partition("+")[0] for name, version in found if name}


def _report_packages(wanted: list[str]) -> None:
    there = {_SEPARATORS.sub("-", name).lower(): (name, v) for name, v in _installed().items()}
    missing = []
    for name in filter(None, wanted):
        key = _SEPARATORS.sub("-", name).lower()
        if key in there:
            print(f"Requirement already satisfied: {there[key][0]} ({there[key][1]})")
        else:
            missing.append(name)
    if missing:
        print(
            f"ERROR: {', '.join(missing)}: not installed, and this sandbox has no network to "
            "install from. Use what is there (%pip list shows it) and the standard library, or ask "
            "whoever runs the sandbox to add the package to its image.",
            file=sys.stderr,
        )


def _seconds(number: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number / 1e-9:.3g} ns"
