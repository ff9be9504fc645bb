"""Other names that plainly mean one of our tools, or one of their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from mini_agent.messages import JsonObject
from mini_agent.tools.offered import OfferedTool
from mini_agent.tools.spelling import bare_name, language_meant, nearly, own_words, words_of
from mini_agent_protocol.languages import Language

TOOL_OF_LANGUAGE: Final = MappingProxyType[Language, str](
    {
        "python": "exec_python",
        "bash": "exec_shell",
        "node": "exec_node",
        "go": "exec_go",
        "rust": "exec_rust",
    }
)
_OTHER_NAMES: Final = (
    ("compress_runs", "rle run_length run_length_encode run_length_encoding rle_encode"),
    ("compress_runs", "compress compress_string encode_runs compress_run rle_compress"),
    ("research_echo", "research echo_research do_research research_tool"),
)
OTHER_NAMES: Final = MappingProxyType(
    {alias: tool for tool, aliases in _OTHER_NAMES for alias in aliases.split()}
)
# In the order in which they are looked for, without case and separators.
_ARGUMENT_NAMES: Final = (
    (
        "code",
        (
            "source script program snippet sourcecode pythoncode codestring codesnippet codeblock "
            "codetext codetoexecute codetorun pythonscript pythonprogram programcode scriptcode "
            "fullcode maincode pycode jscode javascriptcode gocode rustcode nodecode javascript "
            "python py js go rust src codecontent codeinput cmd command"
        ),
    ),
    (
        "cmd",
        (
            "command commandline commands shellcommand bashcommand shellcmd bashcmd "
            "terminalcommand commandtorun commandtoexecute cmdline shell bash sh script line code "
            "bashcode shellscript argv"
        ),
    ),
    (
        "query",
        (
            "q question search searchquery querystring querytext searchterm term topic searchterms "
            "keywords prompt queries"
        ),
    ),
    (
        "s",
        (
            "string text input inputstring str inputtext value word stringtocompress "
            "texttocompress sequence inputstr"
        ),
    ),
    ("text", "message string input msg content value s"),
    ("timeout_s", "timeout timeoutsec timeoutsecs timeoutseconds timeoutinseconds timelimit"),
)
ARGUMENT_NAMES: Final = MappingProxyType(
    {parameter: tuple(aliases.split()) for parameter, aliases in _ARGUMENT_NAMES}
)
LONGEST_NAME: Final = 200
_SPELLED: Final = re.compile(r"[^a-z0-9]")


def tool_meant(requested: str, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """The tool that `requested` names, by its own or another name; None when it names none."""
    if requested in known:
        return known[requested]
    if len(requested) > LONGEST_NAME:
        return None
    name = bare_name(requested)
    spelled = {words_of(each): each for each in known}
    for words in own_words(words_of(name)):
        joined = "_".join(words)
        found = spelled.get(words) or OTHER_NAMES.get(joined, joined)
        if found in known:
            return known[found]
    for part in (*_endings(name), *map("_".join, own_words(words_of(name)))):
        meant = language_meant(part)
        if meant:
            return tool_for(meant, known)
    return known.get(nearly(name, known) or "")


def tool_for(language: Language, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """The one offered tool that runs programs of `language`."""
    if TOOL_OF_LANGUAGE[language] in known:
        return known[TOOL_OF_LANGUAGE[language]]
    others = [tool for name, tool in known.items() if language_meant(name) == language]
    return others[0] if len(others) == 1 else None


def language_of_tool(tool: OfferedTool) -> Language | None:
    """The language whose programs `tool` runs; None for a tool that runs none."""
    ours = {name: language for language, name in TOOL_OF_LANGUAGE.items()}
    return ours.get(tool.name) or language_meant(tool.name)


class Named(NamedTuple):
    """Arguments under the tool's own names, and what was renamed, a sentence each."""

    arguments: JsonObject
    renamed: tuple[str, ...]


def with_own_names(arguments: JsonObject, tool: OfferedTool) -> Named:
    """`arguments` with an alias put under the parameter's own name, where that one is missing."""
    named, renamed = dict(arguments), []
    # A required one is served first: `script` may be both code and cmd.
    for parameter in sorted(tool.parameters, key=lambda each: each not in tool.required):
        alias = _alias_of(parameter, named, tool)
        if alias is not None:
            named[parameter] = named.pop(alias)
            renamed.append(f"argument {alias} was taken as {parameter}")
    return Named(named, tuple(renamed))


def _alias_of(parameter: str, given: JsonObject, tool: OfferedTool) -> str | None:
    if parameter in given:
        return None
    strangers = {spelled(name): name for name in given if name not in tool.parameters}
    aliases = (spelled(parameter), *ARGUMENT_NAMES.get(parameter, ()))
    return next((strangers[alias] for alias in aliases if alias in strangers), None)


def spelled(name: str) -> str:
    """A name without what its spelling adds: case, hyphens, underscores."""
    return _SPELLED.sub("", name.lower())


def _endings(name: str) -> list[str]:
    """`name`, and its last part where it is dotted or slashed: assistant.exec_python."""
    parts = re.split(r"[./]|::|__(?!$)", name)
    return [name, *parts[-1:]] if len(parts) > 1 and name != "__main__" else [name]
