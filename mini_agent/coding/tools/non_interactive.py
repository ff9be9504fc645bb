"""A command's environment in which nothing waits for a user, and how a waiting one is noticed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

NO_EDITOR_MESSAGE: Final = (
    "no editor can be opened here: give the text on the command line (git commit -m TEXT, git tag "
    "-m TEXT), keep the present one (--no-edit, GIT_EDITOR=true), or edit the file with the tools"
)
NO_EDITOR: Final = "sh -c 'echo \"$MINI_AGENT_NO_EDITOR\" >&2; exit 1' editor"
REFUSE: Final = "false"
PAGER: Final = "cat"
# What the user has set for a terminal would wait here, so these replace it.
NON_INTERACTIVE: Final[Mapping[str, str]] = {
    **dict.fromkeys(("EDITOR", "VISUAL", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"), NO_EDITOR),
    "MINI_AGENT_NO_EDITOR": NO_EDITOR_MESSAGE,
    **dict.fromkeys(("PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER", "GH_PAGER"), PAGER),
    "BAT_PAGER": PAGER,
    "DELTA_PAGER": PAGER,
    "AWS_PAGER": "",
    "LESS": "-FRX",
    # Of passwords and user names: git, ssh and sudo ask a program, which refuses.
    **dict.fromkeys(("GIT_ASKPASS", "SSH_ASKPASS", "SUDO_ASKPASS"), REFUSE),
    "SSH_ASKPASS_REQUIRE": "force",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
    "GH_PROMPT_DISABLED": "1",
    "TF_INPUT": "0",
    "COMPOSER_NO_INTERACTION": "1",
}
PROMPT_IDLE_S: Final = 5.0
REPEATED_LINES: Final = 60
# A question, and what the program says of the missing answer.
MAX_REPEATED_KINDS: Final = 4
NO_TERMINAL: Final = re.compile(r"(?:Output is not to|Input is not from) a terminal")
MAX_PROMPT_CHARS: Final = 300
PROMPT: Final = re.compile(
    r"""
    (?:
        \b(?:pass(?:word|phrase|code|wd)|pin|otp|token|user\ ?name|login|email)\b[^\n]{0,120}[:?>]
      | \by/n\b\s*[:?>]? | \?\s*\([^()\n]{0,80}\) | :\ \([^()\n]{0,80}\)
      | [\[(<]\s*(?:y(?:es)?\s*[/|,]\s*no?|no?\s*[/|,]\s*y(?:es)?)\b[^\n]{0,40}[\])>]\s*[:?>]?
      | \b(?:press|hit|type)\b[^\n]{0,60}\b(?:enter|return|key|continue|yes)\b[^\n]{0,40}
      | \b(?:continue|proceed|sure|overwrite|replace|remove|delete|ok(?:ay)?|correct)\b[^\n]{0,80}\?
      | ^\?\ [^\n]{1,200}[?:>\u203a\u00bb]
      | \b(?:enter|select|choose|choice)\b[^\n]{0,120}[:?>]
      | --more--(?:\(\d+%\))? | \(END\)
    )\s*$
    """,
    re.IGNORECASE | re.VERBOSE,
)
# Such as "Checking the password: ", which goes on by itself.
REPORT: Final = re.compile(r"\s*\w+ing\b.*:\s*$", re.DOTALL)


def find_waiting(lines: Sequence[str]) -> str:
    """Return the question or the warning at which a program stands that prints nothing more."""
    warning = next((line for line in reversed(lines) if NO_TERMINAL.search(line)), "")
    return find_prompt(lines[-1]) or warning.strip()


def find_repeated(lines: Sequence[str]) -> str:
    """Return the question that a program asks over and over because nothing is answered."""
    if len(lines) < REPEATED_LINES or len({*lines}) > MAX_REPEATED_KINDS:
        return ""
    return next(filter(None, map(find_prompt, lines)), "")


def find_prompt(last_line: str) -> str:
    """Return the last line of a command's output if it asks for input; else nothing."""
    line = last_line[-MAX_PROMPT_CHARS:]
    return line.strip() if PROMPT.search(line) and not REPORT.match(line) else ""


def describe_prompt(prompt: str) -> str:
    """Return what the model reads about a command that waits for input."""
    return (
        f"the command waits for input at {prompt!r}, and nobody can give it any. Answer on the "
        "command line: an option such as --yes, a file, or a pipe (printf 'y\\n' | COMMAND)"
    )
