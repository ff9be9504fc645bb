"""The command line `mini-agent`: its parser and its commands."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from mini_agent.coding.options import add_options, parse_options
from mini_agent_protocol.errors import MiniAgentError

INTERRUPT_EXIT_CODE: Final = 130


def run_and_exit(command: Callable[[], int]) -> None:
    """Run a command and exit the process with its code."""
    if sys.stdin is None:
        # Started without a standard input; its place would go to the next file that is opened.
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    try:
        sys.exit(command())
    except MiniAgentError as wrong:
        print(f"mini-agent: {wrong.message}", file=sys.stderr)
        if wrong.hint:
            print(f"  {wrong.hint}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        # The run has ended by now, and all it printed is flushed. Python would take LiteLLM apart
        # first, for a second.
        os._exit(INTERRUPT_EXIT_CODE)
    except BrokenPipeError:
        # Whoever read the output has left; Python would complain about it once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong arguments, 130 Ctrl-C."""
    called = _build_parser().parse_args(arguments)

    run_and_exit(lambda: called.run(called))


class _Parser(argparse.ArgumentParser):
    """Says where prompts go: other assistants take them in the place of our commands."""

    def error(self, message: str) -> NoReturn:
        """Prints it and ends with 2."""
        hint = '; a prompt goes behind -p: mini-agent -p "..."' if "COMMAND" in message else ""
        super().error(f"{message}{hint}")


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that takes as long as all of the help."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Prints it and ends."""
        from importlib.metadata import version

        del namespace, values, option_string
        sys.stdout.write(f"{version('mini-agent')}\n")
        parser.exit()


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mini-agent",
        description="A coding assistant for any model, and an agent loop whose snippets run in "
        "sealed sandboxes.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version of this program")
    parser.set_defaults(run=_assist)
    add_options(parser)
    commands = parser.add_subparsers(metavar="COMMAND")
    _add_run(commands.add_parser("run", help="run one prompt and show what happens meanwhile"))
    _add_demo(commands.add_parser("demo", help="run one task end to end and show what happened"))
    mcp = commands.add_parser("mcp", help="our sandbox as an MCP server on stdin and stdout")
    mcp.set_defaults(run=_mcp)
    tools = commands.add_parser("tools", help="the coding assistant's tools as an MCP server, here")
    tools.set_defaults(run=_tools)
    _add_gateway(commands.add_parser("gateway", help="many MCP servers' tools over HTTP, as one"))
    _add_replay(commands.add_parser("replay", help="a recorded run again, and what differs"))
    _add_doctor(commands.add_parser("doctor", help="what all this needs, and whether it is there"))
    return parser


def _add_run(run: argparse.ArgumentParser) -> None:
    run.add_argument("prompt", help="what is to be done; - reads it from standard input")
    run.add_argument("--model", default="", help="such as ollama/qwen2.5-coder:3b")
    run.add_argument(
        "--backend",
        type=_parse_backend,
        metavar="PLACE[+PLACE...]",
        help="where its tools are, such as sidecar, local or auto+research",
    )
    run.add_argument("--seconds", type=float, help="how long the whole run may take")
    run.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    run.set_defaults(run=_run)


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("text", nargs="?", default="aaabbc", help="the string to run-length encode")
    demo.add_argument(
        "--local", action="store_true", help="without Docker: the code runs here, not in a sandbox"
    )
    demo.set_defaults(run=_demo)


def _add_gateway(gateway: argparse.ArgumentParser) -> None:
    gateway.add_argument(
        "--config",
        action="append",
        default=[],
        metavar="FILE",
        help="a config.toml of Codex or a .mcp.json, also several times; ~/.codex/config.toml",
    )
    gateway.add_argument("--host", default="127.0.0.1", help="the address to listen on; 127.0.0.1")
    gateway.add_argument("--port", type=int, default=8787, help="8787; 0 for a free one")
    gateway.set_defaults(run=_gateway)


def _add_replay(replay: argparse.ArgumentParser) -> None:
    replay.add_argument("file", help="what GET /runs/ID/bundle gave; - is standard input")
    replay.add_argument("--json", action="store_true", help="print the differences as JSON")
    replay.set_defaults(run=_replay)


def _add_doctor(doctor: argparse.ArgumentParser) -> None:
    doctor.add_argument("--json", action="store_true", help="print the checks as JSON")
    doctor.add_argument(
        "--leaks",
        action="store_true",
        help="only what is left in the engine beside the running stack; fails if anything is",
    )
    doctor.set_defaults(run=_doctor)


def _parse_backend(given: str) -> str:
    from mini_agent.remote.schema import parse_tool_backend

    try:
        return str(parse_tool_backend(given))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(str(wrong)) from None


# Each command imports what it needs: an MCP client waits for its server to start.
def _assist(called: argparse.Namespace) -> int:
    from mini_agent.coding.command import run_assistant

    return run_assistant(parse_options(called))


def _doctor(called: argparse.Namespace) -> int:
    from mini_agent.cli.doctor.command import run_doctor

    return run_doctor(parse_options(called), in_json=called.json, only_leaks=called.leaks)


def _run(called: argparse.Namespace) -> int:
    from mini_agent.cli.run import RunCommand, run_prompt

    asked = (called.prompt, called.model, called.backend, called.seconds, called.json)
    return run_prompt(RunCommand(*asked))


def _demo(called: argparse.Namespace) -> int:
    from mini_agent.cli.demo import run_demo

    return run_demo(called.text, local=called.local)


def _mcp(_called: argparse.Namespace) -> int:
    from mini_agent.mcp.sandbox_server.stdio import serve

    serve()
    return 0


def _tools(_called: argparse.Namespace) -> int:
    from mini_agent.coding.mcp_server import serve

    serve()
    return 0


def _gateway(called: argparse.Namespace) -> int:
    from mini_agent.settings import require_extra

    with require_extra("mini_agent", what="the gateway"):
        from mini_agent_shim.mcp.gateway_main import serve
    serve(called.config, called.host, called.port)
    return 0


def _replay(called: argparse.Namespace) -> int:
    from mini_agent.cli.replay import replay_file

    return replay_file(called.file, as_json=called.json)
