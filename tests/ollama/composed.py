"""One compose project of Ollama's services, by the file that users run."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.ollama.command import ROOT

IMAGE = "mini-agent/ollama-stand-in:local"
FILES = ("-f", "ollama/compose.ollama.yml", "-f", "tests/ollama/compose.test.yml")


@dataclass(frozen=True, slots=True)
class Composed:
    """`docker compose` on the project, its weights in `weights`."""

    project: str
    weights: Path
    image: str

    def run(self, *words: str, timeout: float = 90, **environment: str) -> str:
        """What the command printed; a failure is an assertion that shows it."""
        ended = self.attempt(*words, timeout=timeout, **environment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def attempt(
        self, *words: str, timeout: float = 90, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """How the command ended."""
        docker = shutil.which("docker") or "docker"
        own = {
            "OLLAMA_IMAGE": self.image,
            "OLLAMA_DATA_DIR": str(self.weights),
            "OLLAMA_PORT": "0",
            "LITELLM_DEFAULT_CODE_MODEL": "ollama/qwen2.5-coder:3b",
        }
        return subprocess.run(
            [docker, "compose", "--project-directory", ".", "-p", self.project, *FILES, *words],
            cwd=ROOT,
            env={**os.environ, **own, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def url(self) -> str:
        """Where the server is published."""
        return f"http://{self.run('port', 'ollama', '11434').strip()}"

    def remove(self) -> None:
        """Ends the project; its files are the container's user's, so a container removes them."""
        self.attempt("run", "--rm", "--no-deps", "--entrypoint", "rm", "ollama", *self._weights())
        self.run("down", "--volumes", "--remove-orphans", "--timeout", "3")

    def _weights(self) -> tuple[str, ...]:
        return ("-rf", "/root/.ollama/models")
