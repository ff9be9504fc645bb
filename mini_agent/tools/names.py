"""Match the names that models use for tools and arguments with those of the offered tools."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, NamedTuple

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import OfferedTool
from mini_agent_protocol.languages import REGISTRY, Language

CAMEL_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SEPARATORS: Final = re.compile(r"[^A-Za-z0-9]+")
SERVER_PREFIX: Final = re.compile(r"\A(?:functions?|tools?|default_api)(?:[.:/]|::)(?=\w)")
_DIGIT_GROUPS: Final = re.compile(r"(?<=\d)[-_.\s]+(?=\d)")
_NAME_SEPARATORS: Final = re.compile(r"(?<=[^\W_])[-_.\s]+(?=[^\W_])")
NAME_END: Final = re.compile(r"<\||[({\[\n]|:\d+\s*$")


def split_words(text: str) -> frozenset[str]:
    """Split `text`, which is easier to read than a list of strings, into its words."""
    return frozenset(text.split())


NAMESPACE_SEPARATOR: Final = re.compile(r"::|__|[./:]")
GENERIC_NAMESPACES: Final = split_words(
    "function functions tool tools defaultapi mcp namespace namespaces"
)
# In front of a dot or two underscores these say what is done; they are no namespace.
VERBS: Final = split_words(
    "create delete remove add set unset get put post patch update insert drop clear reset list "
    "read write open close start stop enable disable lock unlock block unblock allow deny not no "
    "un de re dis undo cancel abort send approve reject increase decrease mount unmount"
)
MAX_NEAR_NAMES: Final = 5
NAMESPACE_WORDS: Final = split_words(
    "function functions tool tools default api mcp server namespace local my the a "
    "plugin plugins assistant sandbox builtin user custom agent mini"
)
RUNNING_WORDS: Final = split_words(
    "exec execute execution executor eval evaluate run runner running do start launch call use "
    "invoke tool tools function code coding script scripts program programs snippet interpreter "
    "interpret repl sandbox environment env kernel cell block line prompt in with notebook "
    "source stateful safe local file compile session a the os system container computer ast "
    "compute calculator"
)
CODE_WORDS: Final = split_words("code program interpreter repl snippet script notebook")
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


def normalize_name(name: str) -> str:
    """Normalize letter case and separators: `createIssue`, `create-issue` -> `createissue`.

    What tells two names apart stays: signs, letters of any script, and the digits' groups.
    """
    grouped = _DIGIT_GROUPS.sub("\0", name.strip())
    return _NAME_SEPARATORS.sub("", grouped).casefold()


def strip_decoration(written: str) -> str:
    """Strip what models leave around a name: quotes, brackets, tokens, a namespace."""
    ends = NAME_END.search(written, 1)
    name = written[: ends.start() if ends else None].strip(" \t\r\n`\"'*.:;,")
    return SERVER_PREFIX.sub("", name)


def split_name(name: str) -> tuple[str, ...]:
    """Split a name into its words, joined by case, hyphens, dots or underscores."""
    parts = SEPARATORS.split(CAMEL_BOUNDARY.sub("_", name.replace("JavaScript", "Javascript")))
    return tuple(part.lower() for part in parts if part)


def iterate_without_namespaces(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield `words`, then the same without its leading namespaces, one by one."""
    yield words
    while len(words) > 1 and words[0] in NAMESPACE_WORDS:
        words = words[1:]
        yield words


def detect_language(name: str) -> Language | None:
    """Detect the language that `name` names, and nothing else; plain code is Python."""
    if name in ENTRY_POINTS:
        return "python"
    words = split_name(name)
    spoken = {LANGUAGE_WORDS[word] for word in words if word in LANGUAGE_WORDS}
    if any(word not in LANGUAGE_WORDS and word not in RUNNING_WORDS for word in words):
        return None
    if len(spoken) > 1:
        spoken.discard("bash")
    if len(spoken) == 1:
        return spoken.pop()
    return "python" if not spoken and CODE_WORDS & set(words) else None


def is_generic_code_tool(name: str) -> bool:
    """Tell whether `name` names a tool that runs code of no particular language."""
    words = split_name(name)
    return bool(words) and all(word in RUNNING_WORDS for word in words)


def find_similar_name(name: str, known: Iterable[str]) -> str | None:
    """Find the one long name of `known` that is one edit away from `name`."""
    close = [
        each for each in known if len(each) >= 8 and _is_one_edit_apart(name.lower(), each.lower())
    ]
    return close[0] if len(close) == 1 else None


def _is_one_edit_apart(one: str, other: str) -> bool:
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


TOOL_BY_LANGUAGE: Final = MappingProxyType[Language, str](
    {spec.name: spec.tool_name for spec in REGISTRY}
)
_TOOL_ALIASES: Final = (
    ("compress_runs", "rle run_length run_length_encode run_length_encoding rle_encode"),
    ("compress_runs", "compress compress_string encode_runs compress_run rle_compress"),
    ("research_echo", "research echo_research do_research research_tool"),
)
TOOL_ALIASES: Final = MappingProxyType(
    {alias: tool for tool, aliases in _TOOL_ALIASES for alias in aliases.split()}
)
OWN_TOOLS: Final = frozenset((*TOOL_BY_LANGUAGE.values(), *TOOL_ALIASES.values(), "Bash"))
# In the order in which they are looked for, without case and separators.
_ARGUMENT_ALIASES: Final = (
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
ARGUMENT_ALIASES: Final = MappingProxyType(
    {parameter: tuple(aliases.split()) for parameter, aliases in _ARGUMENT_ALIASES}
)
MAX_NAME_CHARS: Final = 200
_NOT_ALPHANUMERIC: Final = re.compile(r"[^a-z0-9]")


def find_tool_by_name(requested: str, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """Find the tool that `requested` names, else None.

    Our own tools have aliases, and one slip of the pen is corrected. Of any other only letter case,
    separators and a namespace may differ, and one tool alone may match.
    """
    if requested in known:
        return known[requested]
    if len(requested) > MAX_NAME_CHARS:
        return None
    listed = next((each for each in known.values() if each.own_name == requested), None)
    if listed is not None:
        return listed
    name = strip_decoration(requested)
    found = known.get(name) or _find_by_spelling(name, known)
    return found or _find_own_tool(name, select_own_tools(known))


def select_own_tools(known: Mapping[str, OfferedTool]) -> dict[str, OfferedTool]:
    """Select our own tools, which a call may name by an alias."""
    return {name: tool for name, tool in known.items() if is_own_tool(tool)}


def _find_own_tool(name: str, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    spelled = {split_name(each): each for each in known}
    for words in iterate_without_namespaces(split_name(name)):
        joined = "_".join(words)
        found = spelled.get(words) or TOOL_ALIASES.get(joined, joined)
        if found in known:
            return known[found]
    for part in (
        *_candidate_endings(name),
        *map("_".join, iterate_without_namespaces(split_name(name))),
    ):
        meant = detect_language(part)
        if meant:
            return find_tool_for_language(meant, known)
    return known.get(find_similar_name(name, known) or "")


def _find_by_spelling(name: str, known: Mapping[str, OfferedTool]) -> OfferedTool | None:
    """Find the one tool whose name differs in letter case, separators or its namespace alone."""
    wanted = normalize_name(name)
    found = [
        tool
        for tool in known.values()
        if wanted and wanted in (normalize_name(tool.name), normalize_name(tool.own_name))
    ]
    if not found:
        parts = _split_namespaces(name)
        found = [
            tool
            for tool in known.values()
            if _differ_in_namespace(parts, _split_namespaces(tool.name))
            or _differ_in_namespace(parts, _split_namespaces(tool.own_name))
        ]
    return found[0] if len(found) == 1 else None


def _split_namespaces(name: str) -> tuple[str, ...]:
    parts = [part for part in map(normalize_name, NAMESPACE_SEPARATOR.split(name)) if part]
    while len(parts) > 1 and parts[0] in GENERIC_NAMESPACES:
        parts = parts[1:]
    return tuple(parts)


def _differ_in_namespace(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether the names are equal but for a namespace that one of them has in front."""
    shorter, longer = sorted((one, other), key=len)
    in_front = longer[: len(longer) - len(shorter)]
    return bool(shorter) and longer[-len(shorter) :] == shorter and not VERBS & set(in_front)


def find_near_names(requested: str, known: Iterable[str]) -> list[str]:
    """Find the names that `requested` may have been meant for, the nearest first."""
    spelled = {each: normalize_name(each) for each in known}
    near = get_close_matches(normalize_name(requested), spelled.values(), MAX_NEAR_NAMES, 0.6)
    return [each for text in dict.fromkeys(near) for each in spelled if spelled[each] == text]


def find_tool_for_language(
    language: Language, known: Mapping[str, OfferedTool]
) -> OfferedTool | None:
    """Find the one offered tool that runs programs of `language`."""
    if TOOL_BY_LANGUAGE[language] in known:
        return known[TOOL_BY_LANGUAGE[language]]
    others = [tool for name, tool in known.items() if detect_language(name) == language]
    return others[0] if len(others) == 1 else None


def is_own_tool(tool: OfferedTool) -> bool:
    """Tell whether it is one of ours, whose names and programs are repaired."""
    return tool.name in OWN_TOOLS


def get_tool_language(tool: OfferedTool) -> Language | None:
    """Return the language whose programs `tool` runs; None for a tool that runs none."""
    ours = {name: language for language, name in TOOL_BY_LANGUAGE.items()}
    return ours.get(tool.name) or detect_language(tool.name)


class RenamedArguments(NamedTuple):
    """Arguments under the tool's own names, and what was renamed, a sentence each."""

    arguments: JsonObject
    renamed: tuple[str, ...]


def resolve_argument_aliases(arguments: JsonObject, tool: OfferedTool) -> RenamedArguments:
    """Rename aliases in `arguments` to the parameters' own names, where those are missing."""
    named, renamed = dict(arguments), []
    # A required one is served first: `script` may be both code and cmd.
    for parameter in sorted(tool.parameters, key=lambda each: each not in tool.required):
        alias = _find_alias(parameter, named, tool)
        if alias is not None:
            named[parameter] = named.pop(alias)
            renamed.append(f"argument {alias} was taken as {parameter}")
    return RenamedArguments(named, tuple(renamed))


def _find_alias(parameter: str, given: JsonObject, tool: OfferedTool) -> str | None:
    if parameter in given:
        return None
    strangers = {normalize_spelling(name): name for name in given if name not in tool.parameters}
    aliases = (normalize_spelling(parameter), *ARGUMENT_ALIASES.get(parameter, ()))
    return next((strangers[alias] for alias in aliases if alias in strangers), None)


def normalize_spelling(name: str) -> str:
    """Remove case, hyphens and underscores from a name."""
    return _NOT_ALPHANUMERIC.sub("", name.lower())


def _candidate_endings(name: str) -> list[str]:
    """`name`, and its last part where it is dotted or slashed: assistant.exec_python."""
    parts = re.split(r"[./]|::|__(?!$)", name)
    return [name, *parts[-1:]] if len(parts) > 1 and name != "__main__" else [name]
