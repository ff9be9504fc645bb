"""Other names that plainly mean one of our tools, or one of their arguments.

The name of a tool as models spell it, and the kind of tool its words speak of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import OfferedTool
from mini_agent_protocol.languages import REGISTRY, Language

CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SEPARATORS: Final = re.compile(r"[^A-Za-z0-9]+")
SERVED_AS: Final = re.compile(r"\A(?:functions?|tools?|default_api)(?:[.:/]|::)(?=\w)")
NAME_ENDS: Final = re.compile(r"<\||[({\[\n]|:\d+\s*$")


def words_in(text: str) -> frozenset[str]:
    """The words of `text`, in which a table is easier to read than as a list of strings."""
    return frozenset(text.split())


NAMESPACES: Final = words_in(
    "function functions tool tools default api mcp server namespace local my the a "
    "plugin plugins assistant sandbox builtin user custom agent mini"
)
RUNNING: Final = words_in(
    "exec execute execution executor eval evaluate run runner running do start launch call use "
    "invoke tool tools function code coding script scripts program programs snippet interpreter "
    "interpret repl sandbox environment env kernel cell block line prompt in with notebook "
    "source stateful safe local file compile session a the os system container computer ast "
    "compute calculator"
)
MEANS_CODE: Final = words_in("code program interpreter repl snippet script notebook")
# Words for a language that models use beside its name and its aliases.
_LANGUAGE_WORDS: Final = MappingProxyType[Language, str](
    {
        "python": "python2 py3 ipython jupyter pyexec",
        "bash": "zsh terminal cmd command commands console subprocess",
        "rust": "rustc",
    }
)
LANGUAGE_WORDS: Final = MappingProxyType[str, Language](
    {
        word: spec.name
        for spec in REGISTRY
        for word in (spec.name, *spec.aliases, *_LANGUAGE_WORDS.get(spec.name, "").split())
    }
)
# The fork's models called a Python program by its entry point.
ENTRY_POINTS: Final = frozenset({"__main__", "main"})


def bare_name(written: str) -> str:
    """`written` without what models leave around a name: quotes, brackets, tokens, a namespace."""
    ends = NAME_ENDS.search(written, 1)
    name = written[: ends.start() if ends else None].strip(" \t\r\n`\"'*.:;,")
    return SERVED_AS.sub("", name)


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, whether joined by case, hyphens, dots or underscores."""
    parts = SEPARATORS.split(CAMEL.sub("_", name.replace("JavaScript", "Javascript")))
    return tuple(part.lower() for part in parts if part)


def own_words(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """`words`, then the same without the namespaces in front of them, one by one."""
    yield words
    while len(words) > 1 and words[0] in NAMESPACES:
        words = words[1:]
        yield words


def language_meant(name: str) -> Language | None:
    """The language of whose programs `name` speaks, and of nothing else; plain code is Python."""
    if name in ENTRY_POINTS:
        return "python"
    words = words_of(name)
    spoken = {LANGUAGE_WORDS[word] for word in words if word in LANGUAGE_WORDS}
    if any(word not in LANGUAGE_WORDS and word not in RUNNING for word in words):
        return None
    if len(spoken) > 1:
        spoken.discard("bash")
    if len(spoken) == 1:
        return spoken.pop()
    return "python" if not spoken and MEANS_CODE & set(words) else None


def says_only_code(name: str) -> bool:
    """Whether `name` is a tool for code, or one to run something, of no language in particular."""
    words = words_of(name)
    return bool(words) and all(word in RUNNING for word in words)


def nearly(name: str, known: Iterable[str]) -> str | None:
    """The one long name of `known` from which `name` is a slip of the pen away."""
    close = [each for each in known if len(each) >= 8 and _is_a_slip(name.lower(), each.lower())]
    return close[0] if len(close) == 1 else None


def _is_a_slip(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    return (
        rest[1:] == other_rest[1:]
        or rest[1:] == other_rest
        or rest == other_rest[1:]
        or (rest[1::-1] == other_rest[:2] and rest[2:] == other_rest[2:])
    )


TOOL_OF_LANGUAGE: Final = MappingProxyType[Language, str](
    {spec.name: spec.tool_name for spec in REGISTRY}
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
