"""`mini-agent --sandbox` at a terminal: its questions, and what the user says to them."""

from __future__ import annotations

import os

from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.script import Script
from tests.coding.harness import PROGRAM, Harness, build_environment
from tests.coding.terminal_session import READY
from tests.coding.tmux import Tmux
from tests.docker.sidecar_process import TOKEN, Sidecar


def test_changes_are_shown_applied_and_refused(boxed: Harness, real: Sidecar) -> None:
    boxed.file("a.txt", "one\n")
    line = "seq 100 >>a.txt; mkdir .claude; echo '{}' >.claude/settings.json"
    script: Script = [call("Bash", command=line), "Done."]
    own = {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}
    tree = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    with ScriptedServer(script) as server:
        variables = build_environment(boxed, server.openai_url) | own | tree
        with Tmux([PROGRAM, "--sandbox"], boxed.project, variables) as terminal:
            terminal.until_last(READY)
            terminal.says("Work.")
            terminal.until("The command changed 1 file in the sandbox.")
            terminal.until("s show the other")
            assert (boxed.project / "a.txt").read_text() == "one\n"
            terminal.says("s")
            terminal.until("+100")
            terminal.says("y")
            terminal.until("files that start commands")
            terminal.says("n")
            terminal.until("< Done.")
            terminal.until_last(READY)
            terminal.says("/sandbox")
            terminal.until("no change waits to be applied")
    assert (boxed.project / "a.txt").read_text().endswith("99\n100\n")
    assert not (boxed.project / ".claude" / "settings.json").exists()
