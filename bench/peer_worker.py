"""One of the others, told line by line, in a virtual environment with theirs in it.

A line on stdin runs `print(1)` once. What was printed is answered at once; when what has to be
cleared away afterwards is gone, a second line says so. Modules are found by name, as they are not
there where this is checked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

CODE = "print(1)"
SWEREX = {"pull": "never", "python_standalone_dir": None, "startup_timeout": 60}
Once = Callable[[], tuple[str, Callable[[], None]]]


class ExecutionOutput(Protocol):
    """What smolagents says of a run."""

    logs: str


class Executor(Protocol):
    """As much as is used of smolagents."""

    def run_code_raise_errors(self, code: str) -> ExecutionOutput: ...

    def cleanup(self) -> None: ...


@contextmanager
def llm_sandbox_new(image: str) -> Iterator[Once]:
    """A session of its own; close() is not counted, and kills where theirs waits ten seconds."""
    session_of = import_module("llm_sandbox").SandboxSession
    api = import_module("llm_sandbox.docker").DockerContainerAPI
    api.stop_container = lambda _, container: container.kill()

    def once() -> tuple[str, Callable[[], None]]:
        session = session_of(
            lang="python",
            image=image,
            skip_environment_setup=True,
            keep_template=True,
            verbose=False,
        )
        session.open()
        return session.run(CODE).stdout, session.close

    yield once


@contextmanager
def llm_sandbox_pool(image: str) -> Iterator[Once]:
    """Their pool, prewarmed; a container is used again and again."""
    session_of = import_module("llm_sandbox").SandboxSession
    pools = import_module("llm_sandbox.pool")
    settings = pools.PoolConfig(max_pool_size=4, min_pool_size=2, enable_prewarming=True)
    pool = pools.create_pool_manager(
        backend="docker", config=settings, lang="python", image=image, skip_environment_setup=True
    )

    def once() -> tuple[str, Callable[[], None]]:
        with session_of(pool=pool, lang="python", verbose=False) as session:
            return session.run(CODE).stdout, _nothing

    try:
        yield once
    finally:
        pool.close()


@contextmanager
def swerex_new(image: str) -> Iterator[Once]:
    """A deployment of its own, and `python3 -c` in it."""
    deployment_of = import_module("swerex.deployment.docker").DockerDeployment
    command = import_module("swerex.runtime.abstract").Command(command=["python3", "-c", CODE])
    with asyncio.Runner() as loop:

        def once() -> tuple[str, Callable[[], None]]:
            deployment = deployment_of(image=image, **SWEREX)
            loop.run(deployment.start())
            printed = loop.run(deployment.runtime.execute(command)).stdout
            return printed, lambda: loop.run(deployment.stop())

        yield once


@contextmanager
def swerex_reused(image: str) -> Iterator[Once]:
    """One deployment for all: a fresh `python3 -c`, in a container that is used again."""
    deployment = import_module("swerex.deployment.docker").DockerDeployment(image=image, **SWEREX)
    command = import_module("swerex.runtime.abstract").Command(command=["python3", "-c", CODE])
    with asyncio.Runner() as loop:
        loop.run(deployment.start())
        try:
            yield lambda: (loop.run(deployment.runtime.execute(command)).stdout, _nothing)
        finally:
            loop.run(deployment.stop())


@contextmanager
def smolagents_new(image: str) -> Iterator[Once]:
    """A container with a Jupyter kernel of its own."""
    executor_of, quiet = _smolagents()
    ports = iter(range(18_900, 19_900))

    def once() -> tuple[str, Callable[[], None]]:
        executor = executor_of([], quiet, image_name=image, build_new_image=False, port=next(ports))
        return executor.run_code_raise_errors(CODE).logs, executor.cleanup

    yield once


@contextmanager
def smolagents_reused(image: str) -> Iterator[Once]:
    """One kernel for all."""
    executor_of, quiet = _smolagents()
    executor = executor_of([], quiet, image_name=image, build_new_image=False, port=18_899)
    try:
        yield lambda: (executor.run_code_raise_errors(CODE).logs, _nothing)
    finally:
        executor.cleanup()


KINDS = {
    each.__name__: each
    for each in (
        llm_sandbox_new,
        llm_sandbox_pool,
        swerex_new,
        swerex_reused,
        smolagents_new,
        smolagents_reused,
    )
}


def _smolagents() -> tuple[Callable[..., Executor], object]:
    executor_of = import_module("smolagents.remote_executors").DockerExecutor
    monitoring = import_module("smolagents.monitoring")
    executor_of.install_packages = lambda *_: []  # all is in the image, and offline
    return executor_of, monitoring.AgentLogger(level=monitoring.LogLevel.OFF)


def _nothing() -> None:
    """There is nothing to clear away."""


def main() -> None:
    """Serves until stdin ends."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    # Their libraries print; what is answered goes where stdout was.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with KINDS[sys.argv[1]](sys.argv[2]) as once:
        answers.write("ready\n")
        answers.flush()
        for _ in sys.stdin:
            printed, clear = once()
            answers.write(f"{printed.strip()}\n")
            answers.flush()
            clear()
            answers.write("ready\n")
            answers.flush()


if __name__ == "__main__":
    main()
