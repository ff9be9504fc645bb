"""What words around code say about it: not to be run, to be asked about first, or for others.

Small models answer in the user's language, so the plainest of these are known in several.

The words around a call in a text: whether it is made, or only spoken of.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

TICK: Final = "['\u2019]?"
DOING: Final = "(?:run|running|execut(?:e|ed|ing)|call(?:ing)?|invok(?:e|ing)|perform)"
NOT: Final = (
    rf"(?:never|do(?:es)?\s*n(?:o|{TICK})t|must\s*n(?:o|{TICK})t|should\s*n(?:o|{TICK})t|"
    rf"will not|won{TICK}t|would not|wouldn{TICK}t|did not|didn{TICK}t|refuse to)"
)
# Before the code, up to it.
NOT_MEANT: Final = re.compile(
    rf"(?:\b(?:never|not|do(?:es)?n{TICK}t|mustn{TICK}t|shouldn{TICK}t|can(?:{TICK}t|not)|"
    rf"won{TICK}t|wouldn{TICK}t|didn{TICK}t|refuse to)\s+(?:\w+\s+){{0,2}}"
    r"(?:run|call|execute|use|emit|send|write|invoke|issue|do)|"
    r"\b(?:avoid|instead of|rather than|without)\s+(?:\w+\s+){0,1}"
    r"(?:run|call|execut|us|emit|send|writ|invok)\w*)\b[^.!?\n;,]{0,80}$",
    re.IGNORECASE,
)
NEEDS_IT: Final = re.compile(
    rf"\b(?:not|can(?:not|{TICK}t)|impossible|hard|difficult)\b"
    r"[^.!?\n]{0,60}\bwithout\b[^.!?\n]*$",
    re.IGNORECASE,
)
HARMFUL: Final = re.compile(
    r"(?:\b(?:unsafe|dangerous|malicious|harmful|attackers?)\b[^.!?,;\n]{0,80}"
    r"|(?:\A|\n)\W*(?:warning|caution|danger)\b[^\n]{0,120}"
    r"|\b(?:not|never) be (?:run|executed|called)\b[^.!?\n]{0,40}"
    r"|(?:\A|\n)\W*(?:bad|wrong|incorrect|unsafe|not like this|do not|don'?t)\W*)$",
    re.IGNORECASE,
)
SUPPOSED: Final = re.compile(
    r"\b(?:if (?:I|we|you|one|someone) (?:were to |had |ran|executed|called)|suppos(?:e|ing)|"
    r"hypothetically|imagine)\b[^.!?\n]{0,60}$|\b(?:I|we|one) (?:could|might) (?:also )?"
    rf"{DOING}\W*$",
    re.IGNORECASE,
)
SHOWN_ELSEWHERE: Final = re.compile(
    r"\b(?:docs|documentation|manual|tutorial|readme|code (?:that )?you (?:posted|gave|sent|wrote|"
    r"shared|provided|pasted)|your code (?:is|was|reads))\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
FOR_OTHERS: Final = re.compile(
    r"\b(?:yourself|yourselves|on (?:your|another) (?:own )?(?:machine|computer|laptop|"
    r"system|side|end|pc))\b[^.!?\n]{0,60}$",
    re.IGNORECASE,
)
ASIDE: Final = re.compile(r"(?:\bfor (?:example|instance)|\be\.g\.)[^.!?\n]{0,80}$", re.IGNORECASE)
NOT_MEANT_ABROAD: Final = re.compile(
    r"(?:\b(?:nicht|niemals|nie|keinesfalls)\b[^.!?\n]{0,40}\b(?:aus(?:ge)?führ\w*|laufen)"
    r"|\b(?:no|nunca)\s+(?:\w+\s+){0,2}ejecut\w*|\bn(?:ão|unca)\s+(?:\w+\s+){0,2}execut\w*"
    r"|\b(?:non|mai)\s+(?:\w+\s+){0,2}esegu\w*"
    r"|\bn['\u2019]exécutez (?:pas|jamais)"
    r"|\bne (?:l['\u2019]|le |la |les )?exécut\w+ (?:pas|jamais)"
    r"|(?:不要|不能|请勿|勿|切勿|不应)[^。\n]{0,10}(?:运行|执行)"
    r"|実行し(?:ない|ては)|\bне (?:запуск\w+|выполн\w+))[^.!?。\n]{0,80}\W*$",
    re.IGNORECASE,
)
# A question before the code, or after it.
ASKS: Final = re.compile(
    r"\b(?:(?:should|shall|may|can|could|must) (?:I|we)|do you (?:really )?want|would you like|"
    rf"want me to|am I (?:allowed|supposed)|is it (?:ok|okay|fine|safe))\b[^.!?\n]{{0,40}}\b{DOING}"
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
TAKEN_BACK: Final = re.compile(
    rf"\b{NOT}\s+(?:\w+\s+){{0,2}}(?:run|execute|call|invoke|follow|perform|try)\s+"
    r"(?:this|that|it|them|these|the (?:code|above|script|command|call|program|snippet))\b"
    r"|\bbut I (?:will not|won['\u2019]?t|would not|refuse|am not going to|can(?:not|['\u2019]t))\b"
    r"|\b(?:avoid|beware of) (?:it|this|that|running|executing)\b",
    re.IGNORECASE,
)
OPENS_ANOTHER: Final = re.compile(r"```|~~~|[{<\[]")
ASKED_WITHIN: Final = 200


def is_unwanted(before: str, after: str, *, goes_on: bool) -> bool:
    """Whether the words next to code say that it is not to be run here and now.

    `goes_on` tells that the text goes on after the code: what only sounds like an example is
    often meant, but no model explains an example that it wants to be run.
    """
    lead, rest = before.rstrip(" \t\n`*_\"':"), _own_words(after)
    if _is_denied(lead) or NOT_MEANT_ABROAD.search(lead) or HARMFUL.search(lead):
        return True
    if FOR_OTHERS.search(lead) or ASKS.search(lead[lead.rfind("\n\n") + 1 :]):
        return True
    if TAKEN_BACK.search(rest) or NOT_MEANT_ABROAD.search(rest) or ASKS.search(rest):
        return True
    shown = (ASIDE, SUPPOSED, SHOWN_ELSEWHERE)
    return goes_on and any(each.search(lead) for each in shown)


def _is_denied(lead: str) -> bool:
    denied = NOT_MEANT.search(lead)
    return denied is not None and not NEEDS_IT.search(lead)


def _own_words(after: str) -> str:
    """The words after code that are about it, not about what comes next."""
    rest = after[:ASKED_WITHIN]
    another = OPENS_ANOTHER.search(rest, 1)
    if another is None:
        return rest
    rest = rest[: another.start()].rstrip(" \t\n`*_")
    # A line that ends with a colon speaks of what it introduces.
    return rest[: rest.rfind("\n") + 1] if rest.endswith((":", "：")) else rest


EXAMPLE: Final = re.compile(
    r"\b(?:an? examples?|such as|looks? like|(?:it|this|that|one|which|call|model) would|"
    r"would (?:be|look|have)|(?:call|tool|json|calling|general|expected) (?:format|syntax|schema|"
    r"convention)|format(?:ted)? (?:is|like|as)|models? (?:write|emit|output)s?|"
    r"called (?:like|with|as)|was called|(?:earlier|previously),? I|I (?:already )?(?:ran|called)|"
    r"is written(?: as)?|(?:docs|documentation|manual|log|file) (?:says?|shows?|has|contains?))\b"
    r"[^.!?\n]{0,120}$",
    re.IGNORECASE,
)
SHOWN: Final = re.compile(
    r"(?:\A|\n)\W*(?:(?:expected|sample|example|the|program) )?(?:output|result|stdout)s?"
    r"(?: (?:is|would be|will be|should be|looks like|was))?\W*$",
    re.IGNORECASE,
)
LETTERS: Final = re.compile(r"[^\W\d_]")
SURROUNDINGS_DOING: Final = "(?:run|execute|check|verify|try|test|compute|fix)"
ANNOUNCED: Final = re.compile(
    rf"(?:\b(?:let me|let{TICK}s|I{TICK}(?: wi)?ll) (?:now )?{SURROUNDINGS_DOING}|"
    r"\b(?:run|execute|try|running|executing)\b[^.\n]{0,60}|"
    r"\b(?:corrected|fixed|updated|next) (?:code|program|script|version|step))[^\n]{0,80}\s*\Z",
    re.IGNORECASE,
)
TAG: Final = re.compile(r"<[^<>]{1,60}>")
QUOTES: Final = ("`", "'", '"')
MUCH: Final = 8
BEFORE: Final = 200


def is_much(text: str) -> bool:
    """Whether `text` says something, more than a word or a closing bracket."""
    return len(LETTERS.findall(TAG.sub("", text[:BEFORE]))) >= MUCH


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands `before` and `after` a call; where the reply `is_cut`, more would follow."""

    before: str
    after: str
    is_cut: bool = False

    @property
    def is_spoken_of(self) -> bool:
        """Whether the words before the call say that it must not be made, or is an example.

        Models also announce as an example what they mean, but they do not go on after it then.
        """
        return self.is_aside or (self._goes_on and bool(EXAMPLE.search(self._lead)))

    @property
    def is_aside(self) -> bool:
        """The same for a block of code, which is followed by words even when it is meant."""
        return is_unwanted(self.before[-BEFORE:], self.after, goes_on=self._goes_on)

    @property
    def is_in_quotes(self) -> bool:
        """Whether it stands in quotes and the text goes on, or in a line that quotes somebody."""
        if self._line.lstrip().startswith(("> ", "| ")):
            return True
        in_ticks = self._line.endswith(QUOTES) and self.after.startswith(QUOTES)
        return in_ticks and (self.is_cut or is_much(self._rest_of_line))

    @property
    def is_in_a_sentence(self) -> bool:
        """Whether a sentence goes on around it."""
        goes_on = is_much(self._rest_of_line) or (self.is_cut and "\n" not in self.after)
        return goes_on and is_much(self._line)

    @property
    def is_output(self) -> bool:
        """Whether the words before it announce what a program prints, not a program."""
        return bool(SHOWN.search(self.before[-60:]))

    @property
    def announces(self) -> bool:
        """Whether the words before it say that it is now to be run."""
        return bool(ANNOUNCED.search(self.before[-BEFORE:]))

    @property
    def _goes_on(self) -> bool:
        return self.is_cut or is_much(self.after)

    @property
    def _lead(self) -> str:
        return self.before[-BEFORE:].rstrip(" \t\n`*_\"':")

    @property
    def _line(self) -> str:
        return self.before.rsplit("\n", 1)[-1]

    @property
    def _rest_of_line(self) -> str:
        return self.after.split("\n", 1)[0]
