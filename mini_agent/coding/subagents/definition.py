"""The types of subagents: files of the user and the project, with the keys of Claude Code.

A key that restricts an agent is obeyed, or the agent is left out with a line. A key that asks for
more than the session has is not, with a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mini_agent.coding.front_matter import FENCE, Document, DocumentFolder, read_documents
from mini_agent.coding.permissions.rules import Rule, parse_rule
from mini_agent.errors import BadRequest

DEFAULT_TYPE: Final = "default-agent"
INHERITED_MODELS: Final = ("", "inherit", "sonnet", "opus", "haiku")
ALL_TOOLS: Final = ("*",)
TASK_TOOL: Final = "Task"
# Claude Code's newer name of the tool.
TOOL_NAMES: Final = {"Agent": TASK_TOOL}
KEYS: Final = ("name", "description", "tools", "disallowedTools", "model", "permissionMode")
# Without effect on what an agent may do.
REMARKS: Final = ("color", "metadata", "version", "license", "author", "tags")
LIMITS: Final = ("tools", "disallowedTools", "permissionMode")
# Keys that would guard or confine an agent, which cannot be done here.
CONFINING_KEYS: Final = ("hooks", "isolation")
RESTRICTING_MODES: Final = ("plan", "dontAsk")
SESSION_MODES: Final = ("", "default", "inherit", "manual")
WIDER_MODES: Final = ("acceptEdits", "bypassPermissions", "auto", "delegate")


@dataclass(frozen=True, slots=True)
class SubagentType:
    """A type of subagents; `tools` of None means all that the parent has.

    `denied` are rules for calls that it may not make; `mode` is a stricter mode than the session's.
    """

    name: str
    description: str
    prompt: str
    tools: tuple[str, ...] | None = None
    denied: tuple[Rule, ...] = ()
    model: str = ""
    mode: str = ""

    @property
    def may_start_agents(self) -> bool:
        """Tell whether it may: an agent that it starts would not have its restrictions."""
        return not self.denied and not self.mode


BUILTIN_TYPE: Final = SubagentType(
    DEFAULT_TYPE,
    "for any task that takes several steps and whose details the main conversation does not need: "
    "searching a large project, looking into a question, a change that stands for itself",
    "You carry out one task for another agent, who sees nothing but your last answer. Answer with "
    "what was asked for, whole and exact, with paths and lines where they matter.",
)


def read_subagent_types(
    folders: Iterable[DocumentFolder], report: Callable[[str], None]
) -> Mapping[str, SubagentType]:
    """Read the types by name; a file may replace the builtin one. `report` gets the problems."""
    types = {DEFAULT_TYPE: BUILTIN_TYPE}
    for document in read_documents(folders, report):
        try:
            own = build_type(document, report)
        except BadRequest as error:
            report(f"the agent {document.path} is left out: {error}")
            # One of the same name that it replaces has other limits.
            types.pop(document.name, None)
            continue
        types[own.name] = own
    types.setdefault(DEFAULT_TYPE, BUILTIN_TYPE)
    return types


def build_type(document: Document, report: Callable[[str], None]) -> SubagentType:
    """Build the type of a file; raises `BadRequest` for limits that cannot be kept."""
    if document.text.startswith(FENCE):
        raise BadRequest("its keys have no end: a line of three dashes")
    keys = _normalize_keys(document)
    for key in CONFINING_KEYS:
        if key in keys:
            raise BadRequest(f"{key} is not supported, and without it the agent could do more")
    nested = {_fold(key) for key in document.nested}
    for key in LIMITS:
        if _fold(key) in nested:
            raise BadRequest(f"{key} is an object or a list of lists: write names")
    unknown = sorted(key for key in keys if key not in (*KEYS, *REMARKS))
    if unknown:
        report(f"the agent {document.path}: {', '.join(unknown):.200} has no effect here")
    named = Document(document.path, keys, document.text)
    tools = named.list_values("tools")
    model = keys.get("model", "")
    return SubagentType(
        named.name,
        keys.get("description", ""),
        document.text,
        None if tools is None or tools == ALL_TOOLS else tuple(map(_rename_tool, tools)),
        tuple(_parse_denied(named)),
        # Claude Code's short names, such as "sonnet", are no models of LiteLLM: use the main one.
        "" if model in INHERITED_MODELS else model,
        _parse_mode(named, report),
    )


def _normalize_keys(document: Document) -> dict[str, str]:
    """Return the keys in Claude Code's spelling, those with nested values as well."""
    known = {_fold(key): key for key in (*KEYS, *CONFINING_KEYS)}
    written = {**dict.fromkeys(document.nested, ""), **document.keys}
    keys = {known.get(_fold(key), key): value for key, value in written.items()}
    if len(keys) < len(written):
        raise BadRequest("a key is there twice, in two spellings: keep one of them")
    return keys


def _fold(key: str) -> str:
    return key.replace("-", "").replace("_", "").lower()


def _rename_tool(name: str) -> str:
    return TOOL_NAMES.get(name, name)


def _parse_denied(document: Document) -> Iterator[Rule]:
    for text in document.list_values("disallowedTools") or ():
        rule = Rule("*") if text in ALL_TOOLS else parse_rule(text)
        yield Rule(_rename_tool(rule.tool), rule.spec)


def _parse_mode(document: Document, report: Callable[[str], None]) -> str:
    mode = document.keys.get("permissionMode", "")
    if mode in SESSION_MODES:
        return ""
    if mode in RESTRICTING_MODES:
        return mode
    if mode in WIDER_MODES:
        report(
            f"the agent {document.path}: permissionMode {mode} is not taken from a file; it runs "
            "in the mode of the session"
        )
        return ""
    raise BadRequest(f"there is no permissionMode {mode!r:.40}")
