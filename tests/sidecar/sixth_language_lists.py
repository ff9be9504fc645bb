"""Prints what lists of languages say of Perl; run where the table has it."""

from __future__ import annotations

import asyncio
import json

from codex_sidecar.engine.confinement import DEFAULT_LIMITS, ImageCatalog
from codex_sidecar.kinds import SANDBOX_KINDS
from codex_sidecar.settings import MIN_WARM
from mini_agent.cli.doctor import engine
from mini_agent.sandbox import Snippet, parse_language
from mini_agent.testing.scripted import ScriptedSandbox
from mini_agent.tools.languages import list_commands
from mini_agent.tools.names import detect_language
from mini_agent.tools.sandbox import SandboxInvoker


def main() -> None:
    invoker = SandboxInvoker(ScriptedSandbox(), languages=["pl"])
    function = asyncio.run(invoker.list_openai_tools())[0]["function"]
    assert isinstance(function, dict)
    print(
        json.dumps(
            {
                "alias": parse_language("pl"),
                "snippet": Snippet(language="perl", code="print 1").language,
                "image": ImageCatalog("x/", "y").images()[-1],
                "timeout_s": DEFAULT_LIMITS["perl"].timeout_s,
                "kind": SANDBOX_KINDS[-1],
                "warm": MIN_WARM["perl"],
                "doctor": engine.LANGUAGES[-1],
                "commands": list_commands(["perl"]),
                "meant": detect_language("run_perl_code"),
                "tool": function["name"],
                "words": function["description"],
            }
        )
    )


if __name__ == "__main__":
    main()
