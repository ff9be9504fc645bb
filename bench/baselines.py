"""Baselines: the host's interpreters, plain `docker run`, toolchains without a service."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.hardened import hardened_flags
from bench.options import Options
from bench.programs import CHANGING_PROGRAMS, ChangingProgram
from bench.row import Row, command_row

HOST_PYTHON: Final = "/usr/bin/python3"
COMPILE: Final = {
    "go": "/opt/mini-agent/compile out/main main.go || go build -o out/main main.go",
    "rust": "/opt/mini-agent/compile out/main main.rs || rustc -o out/main main.rs",
}


def host_rows() -> Iterator[Row]:
    """Yield rows of the host's interpreters, as far as it has them."""
    if Path(HOST_PYTHON).exists():
        command = (HOST_PYTHON, "-c", "print(1)")
        yield command_row("host_python", f"host {HOST_PYTHON} -c 'print(1)'", command)
    if (node := shutil.which("node")) is not None:
        yield command_row(
            "host_node", "host node -e 'console.log(1)'", (node, "-e", "console.log(1)")
        )


def docker_rows(options: Options, hardened: Sequence[str]) -> Iterator[Row]:
    """Yield rows that start a container for each `print(1)` through the docker command."""
    image = options.image("python")
    run = ("docker", "run", "--rm", "--entrypoint=python3")
    snippet = (image, "-c", "print(1)")
    yield command_row("docker_run", "docker run --rm", (*run, *snippet))
    label = "docker run --rm, hardened as ours"
    yield command_row("docker_run_hardened", label, (*run, *hardened, *snippet))


@asynccontextmanager
async def bare_toolchain(options: Options, language: str) -> AsyncIterator[Row]:
    """A row of the compiler in a running container, driven through its shell."""
    program = CHANGING_PROGRAMS[language]
    with hardened_flags(options.image(language), program.language) as flags:
        command = ("docker", "run", "--rm", "-i", "--entrypoint=bash", *flags)
        shell = await asyncio.create_subprocess_exec(
            *(*command, options.image(language)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            bare = _BareToolchain(program, shell, language)
            label = f"{language}: the same compile and run, bare in a warm container"
            yield Row(f"bare_{language}", label, bare.once, bare.expected)
        finally:
            _pipes(shell)[0].close()
            await shell.wait()


class _BareToolchain:
    def __init__(
        self, program: ChangingProgram, shell: asyncio.subprocess.Process, language: str
    ) -> None:
        self._program, self._shell, self._language = program, shell, language
        self._number = 0

    async def once(self) -> str:
        self._number += 1
        stdin, stdout = _pipes(self._shell)
        code = self._program.code(self._number)
        stdin.write(
            f"mkdir -p out /tmp/.snippet; cat >main.{self._program.ending} <<'THE_END'\n"
            f"{code}\nTHE_END\n({COMPILE[self._language]}) >&2; ./out/main\n".encode()
        )
        return (await stdout.readline()).decode()

    def expected(self) -> str:
        return str(self._number)


def _pipes(
    process: asyncio.subprocess.Process,
) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    return process.stdin, process.stdout
