"""The command-line options of the assistant."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mini_agent.coding.text_encoding import decode_argument

OutputFormat: TypeAlias = Literal["text", "json", "stream-json"]
InputFormat: TypeAlias = Literal["text", "stream-json"]
PermissionMode: TypeAlias = Literal["default", "acceptEdits", "plan", "bypassPermissions"]
PERMISSION_MODES: Final[tuple[PermissionMode, ...]] = (
    "default",
    "acceptEdits",
    "plan",
    "bypassPermissions",
)
BUILTIN: Final = "builtin"


@dataclass(frozen=True, slots=True)
class Options:
    """The parsed options; empty or None means the default."""

    prompt: str | None = None
    model: str = ""
    digest_model: str = ""
    mcp: tuple[str, ...] = ()
    mcp_config: tuple[str, ...] = ()
    resume: str = ""
    continue_newest: bool = False
    interactive: bool = False
    execute_tools: bool = True
    output_format: OutputFormat = "text"
    input_format: InputFormat = "text"
    max_turns: int | None = None
    permission_mode: PermissionMode | None = None
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    add_dirs: tuple[str, ...] = ()
    trust_project: bool = False
    sandbox: bool | None = None


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to the parser, in two groups."""
    _add_session_options(parser.add_argument_group("the assistant"))
    _add_permission_options(parser.add_argument_group("what the assistant may use and do"))


def _add_session_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "-p",
        dest="prompt",
        metavar="TEXT",
        help="do this and end; a JSON list of content blocks is taken as it is; standard input, "
        "where it is no terminal, goes before it",
    )
    group.add_argument("--model", default="", help="a name LiteLLM knows, such as gpt-4.1")
    group.add_argument("--digest-model", default="", help="reads web pages; a small one of a kind")
    group.add_argument(
        *("-r", "--resume"),
        type=_parse_session,
        metavar="ID|FILE",
        help="go on with a session: its id, the beginning of one, or a transcript's file",
    )
    group.add_argument(
        "-c",
        "--continue",
        dest="continue_newest",
        action="store_true",
        help="go on with the newest session",
    )
    group.add_argument(
        "--interactive",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="ask for a prompt; usual at a terminal without -p",
    )
    group.add_argument(
        "--output-format", choices=("text", "json", "stream-json"), default="text", help="of -p"
    )
    group.add_argument(
        "--input-format",
        choices=("text", "stream-json"),
        default="text",
        help="of standard input; stream-json: a message of the user a line",
    )
    group.add_argument(
        "--max-turns", type=_parse_turns, metavar="N", help="calls of the model at most"
    )


def _add_permission_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--mcp",
        action="append",
        default=[],
        metavar="COMMAND",
        help="an MCP server with tools, prompts and hooks, also several times; `builtin` is ours",
    )
    group.add_argument("--mcp-config", action="append", default=[], metavar="FILE.json")
    group.add_argument(
        "--execute-tools",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="--no-execute-tools: print the calls as JSON and end with exit code 2",
    )
    group.add_argument(
        "--permission-mode", choices=PERMISSION_MODES, help="what is allowed without asking"
    )
    group.add_argument(
        *("--allowed-tools", "--allowedTools"),
        action="append",
        default=[],
        metavar="RULE",
        help='such as "Bash(git *)"',
    )
    group.add_argument(
        *("--disallowed-tools", "--disallowedTools"), action="append", default=[], metavar="RULE"
    )
    group.add_argument("--add-dir", action="append", default=[], metavar="DIR", help="also ours")
    group.add_argument(
        "--sandbox",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="run Bash on a copy of the project in our sandbox, without asking; its changes are "
        "applied when you approve them",
    )
    group.add_argument(
        "--trust", action="store_true", help="run the hooks and MCP servers this project names"
    )


def parse_options(arguments: argparse.Namespace) -> Options:
    """Convert the parsed arguments to options."""
    is_headless = arguments.prompt is not None or not sys.stdin.isatty()
    return Options(
        prompt=None if arguments.prompt is None else decode_argument(arguments.prompt),
        model=arguments.model,
        digest_model=arguments.digest_model,
        mcp=tuple(arguments.mcp),
        mcp_config=tuple(arguments.mcp_config),
        resume=arguments.resume or "",
        continue_newest=arguments.continue_newest,
        interactive=not is_headless if arguments.interactive is None else arguments.interactive,
        execute_tools=arguments.execute_tools,
        output_format=arguments.output_format,
        input_format=arguments.input_format,
        max_turns=arguments.max_turns,
        permission_mode=arguments.permission_mode,
        allowed_tools=_split_rules(arguments.allowed_tools),
        disallowed_tools=_split_rules(arguments.disallowed_tools),
        add_dirs=tuple(arguments.add_dir),
        trust_project=arguments.trust,
        sandbox=arguments.sandbox,
    )


def _split_rules(texts: list[str]) -> tuple[str, ...]:
    """Split comma-separated rules; a comma in parentheses belongs to its rule."""
    rules: list[str] = []
    for text in texts:
        depth, start = 0, 0
        for place, char in enumerate(f"{text},"):
            depth += (char == "(") - (char == ")")
            if char == "," and depth <= 0:
                rules.append(text[start:place].strip())
                start = place + 1
        rules.append(text[start:].strip())
    return tuple(rule for rule in rules if rule)


def _parse_session(name: str) -> str:
    if not name.strip():
        raise argparse.ArgumentTypeError("must be a session's id or file, and is empty")
    return name


def _parse_turns(text: str) -> int:
    try:
        turns = int(text)
    except ValueError:
        turns = 0
    if not 1 <= turns <= 1000:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 1000, not {text!r}")
    return turns
