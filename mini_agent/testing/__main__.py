"""`python -m mini_agent.testing`: a scripted model server for people who do not write Python."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from mini_agent.testing.script import ScriptNotFollowed, format_reply_count
from mini_agent.testing.script_file import ScriptFile, ScriptFileError, read_script
from mini_agent.testing.server import ScriptedServer

FAILED, UNUSABLE = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """0 when the script was followed, 1 when not, 2 when there is nothing to serve."""
    options = _parser().parse_args(arguments)
    try:
        script = read_script(options.script)
        _serve(script, options.host, options.port)
    except ScriptFileError as bad:
        return _report_error(str(bad), UNUSABLE)
    except (OSError, OverflowError) as taken:
        return _report_error(f"cannot listen on {options.host}:{options.port}: {taken}", UNUSABLE)
    except ScriptNotFollowed as unfollowed:
        return _report_error(f"the script was not followed: {unfollowed}", FAILED)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m mini_agent.testing",
        description="A model server that says what a script says, in Ollama's and OpenAI's format.",
    )
    parser.add_argument("--script", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=11434, help="0 takes any free port")
    return parser


def _serve(script: ScriptFile, host: str, port: int) -> None:
    server = ScriptedServer(
        script.replies, host=host, port=port, repeat_last=script.repeat_last, models=script.models
    )
    stops = {signal.SIGINT, signal.SIGTERM}
    # INVARIANT: blocked before the threads start, which inherit it, so that only sigwait sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    with server:
        _say(f"a scripted model with {format_reply_count(script.replies)} listens, Ctrl-C stops it")
        _say(f"  Ollama  {server.url}")
        _say(f"  OpenAI  {server.openai_url}")
        signal.sigwait(stops)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _report_error(line: str, code: int) -> int:
    sys.stderr.write(f"{line}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
