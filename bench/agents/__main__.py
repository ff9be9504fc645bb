"""`python -m bench.agents [AGENT ...]`: the suite of weak models against ours and the others.

Each of the others gets the newest of its packages in a virtual environment of its own, and is one
process there. What was measured before of those that are not named is kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from bench.agents.agent_process import AgentProcess
from bench.agents.scores import Scores, table
from bench.agents.tool_service import tool_service
from bench.options import OUTPUT_DIR, ROOT
from tests.behaviours.mini_agent_runs import judge_mini_agent_runs
from tests.behaviours.suite import suite

UV: Final = Path(sys.executable).parent / "uv"
AGENTS_DIR: Final = OUTPUT_DIR / "agents"
PAGE: Final = ROOT / "docs" / "weak-models.md"
BEGIN: Final = "<!-- what make agents measured -->"
END: Final = "<!-- end -->"
OURS: Final = "mini-agent"
LABELS: Final = {
    "litellm": "LiteLLM's `litellm.agent(Harness.TOOL_LOOP)`",
    "openai-agents": "openai-agents",
    "pydantic-ai": "pydantic-ai",
    "smolagents-calls": "smolagents, ToolCallingAgent",
    "smolagents-code": "smolagents, CodeAgent",
}
PACKAGES: Final = {
    "litellm": ("litellm[mcp]", "starlette", "uvicorn"),
    "openai-agents": ("openai-agents",),
    "pydantic-ai": ("pydantic-ai-slim[openai]",),
    "smolagents-calls": ("smolagents[openai]",),
    "smolagents-code": ("smolagents[openai]",),
}


async def score_agent(key: str) -> Scores:
    """One agent's row."""
    if key == OURS:
        return Scores("**mini-agent**", await judge_mini_agent_runs(suite(), "openai", at_a_time=1))
    python = _install(key)
    with tool_service() as tools:
        runs = AgentProcess(key, python, AGENTS_DIR / f"{key}.log").verdicts(suite(), tools)
        return Scores(f"{LABELS[key]} {_version(key, python)}", [each async for each in runs])


def _install(key: str) -> Path:
    place = AGENTS_DIR / key
    python = place / "bin/python"
    make = (str(UV), "venv", "-q", "--allow-existing", "-p", sys.executable, str(place))
    subprocess.run(make, check=True)
    install = (str(UV), "pip", "install", "-q", "--upgrade", "-p", str(python), *PACKAGES[key])
    subprocess.run(install, check=True)
    return python


def _version(key: str, python: Path) -> str:
    package = PACKAGES[key][0].partition("[")[0]
    ask = f"from importlib.metadata import version; print(version({package!r}))"
    process = subprocess.run((str(python), "-c", ask), check=True, capture_output=True, text=True)
    return process.stdout.strip()


def main() -> None:
    """Runs those that are named, else all, and writes the table into the page."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    AGENTS_DIR.mkdir(parents=True, exist_ok=True)
    kept = AGENTS_DIR / "rows.json"
    lines: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    for key in sys.argv[1:] or (OURS, *LABELS):
        lines[key] = asyncio.run(score_agent(key)).line
        kept.write_text(json.dumps(lines))
        sys.stdout.write(f"{lines[key]}\n")
        sys.stdout.flush()
    rows = "\n".join((table(()), *(lines[key] for key in (OURS, *LABELS) if key in lines)))
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{rows}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
