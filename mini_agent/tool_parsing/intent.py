"""Tells from the words around code whether it is to be run, or only mentioned.

Small models answer in the user's language, so the plainest phrases are known in several.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.tool_parsing.denials import DENIED_ANYWHERE, DENIED_AT_END

APOSTROPHE: Final = "['\u2019]?"
RUN_VERB: Final = "(?:run|running|execut(?:e|ed|ing)|call(?:ing)?|invok(?:e|ing)|perform)"
NEGATION: Final = (
    rf"(?:never|do(?:es)?\s*n(?:o|{APOSTROPHE})t|must\s*n(?:o|{APOSTROPHE})t|should\s*n(?:o|{APOSTROPHE})t|"
    rf"will not|won{APOSTROPHE}t|would not|wouldn{APOSTROPHE}t|did not|didn{APOSTROPHE}t|refuse to)"
)
# Before the code, up to it.
DENIED_BEFORE: Final = re.compile(
    rf"(?:\b(?:never|not|do(?:es)?n{APOSTROPHE}t|mustn{APOSTROPHE}t|shouldn{APOSTROPHE}t|can(?:{APOSTROPHE}t|not)|"
    rf"won{APOSTROPHE}t|wouldn{APOSTROPHE}t|didn{APOSTROPHE}t|refuse to)\s+(?:\w+\s+){{0,2}}"
    r"(?:run|call|execute|use|emit|send|write|invoke|issue|do)|"
    r"\b(?:avoid|instead of|rather than|without)\s+(?:\w+\s+){0,1}"
    r"(?:run|call|execut|us|emit|send|writ|invok)\w*)\b[^.!?\n;,]{0,80}$",
    re.IGNORECASE,
)
NOT_WITHOUT: Final = re.compile(
    rf"\b(?:not|can(?:not|{APOSTROPHE}t)|impossible|hard|difficult)\b"
    r"[^.!?\n]{0,60}\bwithout\b[^.!?\n]*$",
    re.IGNORECASE,
)
CALLED_HARMFUL: Final = re.compile(
    r"(?:\b(?:unsafe|dangerous|malicious|harmful|attackers?)\b[^.!?,;\n]{0,80}"
    r"|(?:\A|\n)\W*(?:warning|caution|danger)\b[^\n]{0,120}"
    r"|\b(?:not|never) be (?:run|executed|called)\b[^.!?\n]{0,40}"
    r"|(?:\A|\n)\W*(?:bad|wrong|incorrect|unsafe|not like this|do not|don'?t)\W*)$",
    re.IGNORECASE,
)
HYPOTHETICAL: Final = re.compile(
    r"\b(?:if (?:I|we|you|one|someone) (?:were to |had |ran|executed|called)|suppos(?:e|ing)|"
    r"hypothetically|imagine)\b[^.!?\n]{0,60}$|\b(?:I|we|one) (?:could|might) (?:also )?"
    rf"{RUN_VERB}\W*$",
    re.IGNORECASE,
)
QUOTED_SOURCE: Final = re.compile(
    r"\b(?:docs|documentation|manual|tutorial|readme|code (?:that )?you (?:posted|gave|sent|wrote|"
    r"shared|provided|pasted)|your code (?:is|was|reads))\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
FOR_THE_USER: Final = re.compile(
    r"\b(?:yourself|yourselves|on (?:your|another) (?:own )?(?:machine|computer|laptop|"
    r"system|side|end|pc))\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
EXAMPLE_PHRASE: Final = re.compile(
    r"(?:\bfor (?:example|instance)|\be\.g\.)[^.!?\n]{0,80}$", re.IGNORECASE
)
# A question before the code, or after it.
PERMISSION_QUESTION: Final = re.compile(
    r"\b(?:(?:should|shall|may|can|could|must) (?:I|we)|do you (?:really )?want|would you like|"
    r"want me to|am I (?:allowed|supposed)|is it (?:ok|okay|fine|safe))\b"
    rf"[^.!?\n]{{0,40}}\b{RUN_VERB}"
    r"\b[^.!?\n]{0,80}\?"
    r"|\b(?:shall|should|may) I (?:proceed|continue|go ahead|do (?:it|so|that|this))\b"
    r"[^.!?\n]{0,40}\?"
    r"|\bplease confirm\b|\bconfirm (?:first|before|that I (?:should|may|can))\b"
    r"|\blet me know (?:if|whether) (?:I should|you want me|you(?:'d| would) like me)\b"
    r"|\bbefore I (?:run|execute|call) (?:it|this|that)\b"
    r"|\b(?:soll(?:te)? ich|darf ich|möcht\w+ (?:du|sie)|quier\w+ que|desea que|puedo|devo|"
    r"voulez-vous que|dois-je|puis-je|vuoi che|posso|quer que)\b[^.!?\n]{0,60}\?"
    r"|(?:要我|要不要|是否|需要我|我可以)[^。\n]{0,20}(?:运行|执行)[^。\n]{0,12}[吗?？]"
    r"|実行し(?:ても|ましょ)[^。\n]{0,12}か|(?:запустить|выполнить)[^.!\n]{0,40}\?",
    re.IGNORECASE,
)
# After the code.
DENIED_AFTER: Final = re.compile(
    rf"\b{NEGATION}\s+(?:\w+\s+){{0,2}}(?:run|execute|call|invoke|follow|perform|try)\s+"
    r"(?:this|that|it|them|these|the (?:code|above|script|command|call|program|snippet))\b"
    r"|\bbut I (?:will not|won['\u2019]?t|would not|refuse|am not going to|can(?:not|['\u2019]t))\b"
    r"|\b(?:I|we|it|this|that|code|script|program|snippet|command)\s*(?:ha(?:s|ve)|was|is|did|will)"
    rf"\s*n(?:o|{APOSTROPHE})t\s+(?:yet\s+)?(?:been\s+|be\s+)?(?:run|executed?)\b"
    rf"|\bI{APOSTROPHE}ve not (?:yet )?(?:run|executed)\b"
    r"|\A\W*(?:note:?\s*)?not (?:yet )?(?:run|executed)\b"
    r"|\b(?:avoid|beware of) (?:it|this|that|running|executing)\b",
    re.IGNORECASE,
)
NEXT_BLOCK: Final = re.compile(r"```|~~~|[{<\[]")
MAX_AFTER_CHARS: Final = 200
EXAMPLE: Final = re.compile(
    r"\b(?:an? examples?|such as|looks? like|(?:it|this|that|one|which|call|model) would|"
    r"would (?:be|look|have)|(?:call|tool|json|calling|general|expected) (?:format|syntax|schema|"
    r"convention)|format(?:ted)? (?:is|like|as)|models? (?:write|emit|output)s?|"
    r"called (?:like|with|as)|was called|(?:earlier|previously),? I|I (?:already )?(?:ran|called)|"
    r"is written(?: as)?|(?:docs|documentation|manual|log|file) (?:says?|shows?|has|contains?))\b"
    r"[^.!?\n]{0,120}$",
    re.IGNORECASE,
)
CONFIGURATION: Final = re.compile(
    r"\b(?:configuration|config|settings?|manifest|workflow|task file|entry|record|package\.json|"
    r"konfiguration|configuración|configuração|configurazione|einstellungen)\b|\b\w+\.(?:json|ya?ml|"
    r"toml|ini|cfg|conf)\b|配置|設定|설정|конфигурац|настройк",
    re.IGNORECASE,
)
OUTPUT_LABEL: Final = re.compile(
    r"(?:\A|\n)\W*(?:(?:expected|sample|example|the|program) )?(?:output|result|stdout)s?"
    r"(?: (?:is|would be|will be|should be|looks like|was))?\W*$",
    re.IGNORECASE,
)
LETTERS: Final = re.compile(r"[^\W\d_]")
INTENDED_VERB: Final = "(?:run|execute|check|verify|try|test|compute|fix)"
RUN_ANNOUNCEMENT: Final = re.compile(
    rf"(?:\b(?:let me|let{APOSTROPHE}s|I{APOSTROPHE}(?: wi)?ll) (?:now )?{INTENDED_VERB}|"
    r"\b(?:run|execute|try|running|executing)\b[^.\n]{0,60}|"
    r"\b(?:corrected|fixed|updated|next) (?:code|program|script|version|step))[^\n]{0,80}\s*\Z",
    re.IGNORECASE,
)
TAG: Final = re.compile(r"<[^<>]{1,60}>")
QUOTES: Final = ("`", "'", '"')
MIN_LETTERS: Final = 8
MAX_BEFORE_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class SurroundingText:
    """The text `before` and `after` a call; with `is_cut`, more would follow."""

    before: str
    after: str
    is_cut: bool = False

    @property
    def is_only_mentioned(self) -> bool:
        """Whether the words before say that it is an example or must not be made.

        Models also announce as an example what they mean, but they do not go on after it then.
        """
        return self.is_not_to_be_run or (self._goes_on and bool(EXAMPLE.search(self._lead)))

    @property
    def is_not_to_be_run(self) -> bool:
        """The same for a block of code, which words follow even if it is meant."""
        return denies_execution(self.before[-MAX_BEFORE_CHARS:], self.after, goes_on=self._goes_on)

    @property
    def is_quoted(self) -> bool:
        """Whether it stands in quotes and the text goes on, or in a quoting line."""
        if self._line.lstrip().startswith(("> ", "| ")):
            return True
        in_ticks = self._line.endswith(QUOTES) and self.after.startswith(QUOTES)
        return in_ticks and (self.is_cut or is_substantial(self._rest_of_line))

    @property
    def is_inside_sentence(self) -> bool:
        """Whether a sentence goes on around it."""
        goes_on = is_substantial(self._rest_of_line) or (self.is_cut and "\n" not in self.after)
        return goes_on and is_substantial(self._line)

    @property
    def is_configuration(self) -> bool:
        """Whether the words next to it speak of a configuration."""
        lead, rest = self._lead.rsplit("\n", 1)[-1], self.after[:MAX_AFTER_CHARS].lstrip("`\n ")
        return any(CONFIGURATION.search(each) for each in (lead, rest.split("\n", 1)[0]))

    @property
    def announces_output(self) -> bool:
        """Whether the words before it announce a program's output."""
        return bool(OUTPUT_LABEL.search(self.before[-60:]))

    @property
    def announces_run(self) -> bool:
        """Whether the words before it say that it is now to be run."""
        return bool(RUN_ANNOUNCEMENT.search(self.before[-MAX_BEFORE_CHARS:]))

    @property
    def _goes_on(self) -> bool:
        return self.is_cut or is_substantial(self.after)

    @property
    def _lead(self) -> str:
        return self.before[-MAX_BEFORE_CHARS:].rstrip(" \t\n`*_\"':")

    @property
    def _line(self) -> str:
        return self.before.rsplit("\n", 1)[-1]

    @property
    def _rest_of_line(self) -> str:
        return self.after.split("\n", 1)[0]


def denies_execution(before: str, after: str, *, goes_on: bool) -> bool:
    """Tell whether the words next to code say that it is not to be run here and now.

    `goes_on`: the text goes on after the code. What only sounds like an example is often meant, but
    no model explains an example that it wants to be run.
    """
    lead, rest = before.rstrip(" \t\n`*_\"':"), _following_words(after)
    if _is_denied(lead) or DENIED_AT_END.search(lead) or CALLED_HARMFUL.search(lead):
        return True
    if FOR_THE_USER.search(lead) or PERMISSION_QUESTION.search(lead[lead.rfind("\n\n") + 1 :]):
        return True
    if (
        DENIED_AFTER.search(rest)
        or DENIED_ANYWHERE.search(rest)
        or PERMISSION_QUESTION.search(rest)
    ):
        return True
    shown = (EXAMPLE_PHRASE, HYPOTHETICAL, QUOTED_SOURCE)
    return goes_on and any(each.search(lead) for each in shown)


def _following_words(after: str) -> str:
    """The words after code that are about it, not about what comes next."""
    rest = after[:MAX_AFTER_CHARS]
    another = NEXT_BLOCK.search(rest, 1)
    if another is None:
        return rest
    rest = rest[: another.start()].rstrip(" \t\n`*_")
    # A line that ends with a colon speaks of what it introduces.
    return rest[: rest.rfind("\n") + 1] if rest.endswith((":", "：")) else rest


def _is_denied(lead: str) -> bool:
    denied = DENIED_BEFORE.search(lead)
    return denied is not None and not NOT_WITHOUT.search(lead)


def is_substantial(text: str) -> bool:
    """Tell whether `text` has more words than a word or a closing bracket."""
    return len(LETTERS.findall(TAG.sub("", text[:MAX_BEFORE_CHARS]))) >= MIN_LETTERS
