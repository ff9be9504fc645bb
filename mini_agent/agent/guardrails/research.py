"""The research guardrail: sends an unsure or failing model to the tools that look things up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from mini_agent.config import AgentConfig

# Quotations and code, which are not the model's own statements.
QUOTED_TEXT: Final = re.compile(r"```.*?(```|\Z)|`[^`\n]*`|\"[^\"\n]*\"|“[^”]*”", re.DOTALL)

# Abbreviations in the phrases below, where a blank matches any white space.
_WORDS: Final = {
    "<i am>": "(i am|i'm|we are|we're)",
    "<have not>": "(i have not|i haven't|i've not)",
    "<do not>": "(do not|don't|would not|wouldn't)",
    "<cannot>": (
        "(can ?not|can't|could not|couldn't|(am|was) (unable|not able) to|wasn't able to"
        "|(have not|haven't|'ve not) been able to)"
    ),
    "<very>": r"((\w+ly|100 ?%|very|too|quite|so|all that|just|still|afraid) )*",
    "<now>": "(that|this|real|current|live|up-to|the (internet|web))",
    "<flaws>": "((any|an?|other) )*(errors?|bugs?|problems?|mistakes?|issues?|faults?|flaws?)",
    "<which>": "(what|how|why|who|where|when|which|about|if|whether)",
}
_PHRASES: Final = (
    # The writer is unsure.
    "<i am> <very>not <very>(sure|certain|confident|positive|aware of|familiar with)",
    "<i am> <very>(only )?(unsure|uncertain|unfamiliar|guessing|speculating)",
    "<i am> (only )?(about )?(half sure|(no|not an) expert)",
    "<i am> unable to (find(?! <flaws>)|determine|verify|confirm|say|tell)",
    # The writer does not know or remember.
    "i <very><do not> <very>(know|recall|remember)",
    r"i <do not> have (?!to\b)([\w-]+ ){0,4}(information|data|knowledge|context to)",
    r"i (have no|lack) ([\w-]+ ){0,2}(idea|clue|information|knowledge|way of knowing)",
    "i (<do not> have|have no|lack) access to <now>",
    "(beyond|outside) (of )?my (knowledge|expertise|training)",
    "my (knowledge|training|training data) (ends|ended|stops|only|is limited|does not|doesn't)",
    "my information (is|may be|might be|could be) (out of date|outdated|old)",
    "as of my (last|latest|most recent|knowledge|training)",
    # The writer could not find out.
    "i <very><cannot> <very>(determine|verify|confirm|remember|recall)",
    "i <very><cannot> (look (that |this |it )?up|find(?! <flaws>))",
    "i <very><cannot> (tell (you|for|whether|if|which)|be <very>(sure|certain))",
    "i <very><cannot> (say|answer) ((that|this|it) )?(for|with|whether|if|which|exactly)",
    r"(it's|is) (\w+ )?(hard|difficult|impossible) (for me )?to (say|know)",
    "(unclear|not clear|unknown|not known) to me|uncertainty on my (side|part)",
    "no way (for me to|of) (know|tell|verify|confirm)(ing)?",
    r"<have not> found (a|any) (\w+ )?(source|reference|documentation)",
    r"<have not> (verified|checked|confirmed)( (it|this|that))?(?= ?[,.!;]| ?$)",
    r"i('d| would)? (have|need) to (look|check|verify)(?=[^.!?\n]{0,80}\b(up|sure|certain)\b)",
    # The writer guesses.
    "my ((best|only) )?guess (here )?(is|would be)|(my|a) best guess|guess on my part",
    r"(only|just|merely) an? (\w+ )?guess|an? educated guess",
    "(i would|i'd|i can only|if i had to) guess",
    "i (may|might|could) (well )?be (wrong|mistaken|misremembering)|i may not be right",
    "speculation on my part|with a grain of salt|don't quote me",
)
# Phrases that count only at the beginning of a sentence or of a part of one.
_OPENINGS: Final = (
    "not <very>(sure|certain)",
    "(hard|difficult|impossible) to say",
    "no idea(?= <which>| ?[,.!?;]| ?$)",
    "(this is|at) a guess",
)
_OPENING: Final = "(^|[.!?;,] ?)((sorry|honestly|hm+|well|unfortunately),? )?(but )?"


def _compile_alternatives(phrases: Iterable[str], before: str) -> str:
    joined = f"{before}({'|'.join(phrases)})\\b"
    for short, long in _WORDS.items():
        joined = joined.replace(short, long)
    return re.sub(r"\((?!\?)", "(?:", joined).replace(" ?", r"\s*").replace(" ", r"\s+")


UNSURE_PATTERN: Final = re.compile(
    _compile_alternatives(_PHRASES, r"\b") + "|" + _compile_alternatives(_OPENINGS, _OPENING),
    re.IGNORECASE | re.MULTILINE,
)


def is_unsure(text: str) -> bool:
    """Tells whether `text` says in the first person that the answer is not known."""
    own_words = QUOTED_TEXT.sub(" ", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return UNSURE_PATTERN.search(own_words) is not None


RESEARCH_WORD: Final = "research"
SEARCH_WORD: Final = "search"
UNSURE_DIRECTIVE: Final = (
    "You are not sure of your answer. Look it up with {tools}, then answer from what it says."
)
FAILURE_DIRECTIVE: Final = (
    "Calls keep failing. Look up what is wrong with {tools}, then try another way."
)


class ResearchGuardrail:
    """Counts failures and hops of a run; `tools` are the names of all that the invoker lists."""

    def __init__(self, config: AgentConfig, tools: Iterable[str]) -> None:
        self._config = config
        self._tools = " or ".join(_find_research_tools(list(tools)))
        self._hops = 0
        self._failures = 0

    def after_answer(self, text: str) -> str:
        """Returns the directive for a model that answers `text`; empty to accept the answer."""
        if self._config.research_on_unsure and is_unsure(text):
            return self._hop(UNSURE_DIRECTIVE)
        return ""

    def after_calls(self, *, failed: bool) -> str:
        """Returns the directive after a turn of calls, which all `failed` or not; may be empty."""
        self._failures = self._failures + 1 if failed else 0
        enough = self._failures >= self._config.max_failures_before_research
        if not (enough and self._config.research_after_failures):
            return ""
        self._failures = 0
        return self._hop(FAILURE_DIRECTIVE)

    def _hop(self, directive: str) -> str:
        if not self._tools or self._hops >= self._config.max_research_hops:
            return ""
        self._hops += 1
        return directive.format(tools=self._tools)


def _find_research_tools(tools: Sequence[str]) -> list[str]:
    """Finds tools with "research" in their name, and where there are none those with "search".

    A tool of one of several servers is named `server__tool`, so the word may stand anywhere.
    """
    for word in (RESEARCH_WORD, SEARCH_WORD):
        named = [name for name in tools if word in re.split(r"[^a-z]+", name.lower())]
        if named:
            return named
    return []
