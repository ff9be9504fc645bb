"""The words by which a text or a task says, in many languages, that code is not to be run."""

from __future__ import annotations

import re
from typing import Final

DENIED: Final = (
    r"(?:\b(?:nicht|niemals|nie|keinesfalls)\b[^.!?,\n]{0,40}\b(?:aus(?:ge|zu)?führ\w*|laufen)"
    r"|\bohne\b[^.!?,\n]{0,30}\bauszuführen"
    r"|\bführ\w*\b[^.!?\n]{0,40}\bnicht\b[^.!?\n]{0,20}\baus\b"
    r"|\b(?:no|nunca|sin)\s+(?:\w+\s+){0,2}ejecut\w*"
    r"|\b(?:não|nunca|sem)\s+(?:\w+\s+){0,2}execut\w*"
    r"|\b(?:non|mai|senza)\s+(?:\w+\s+){0,2}esegu\w*"
    r"|\bn['\u2019]exécut\w+ (?:pas|jamais)"
    r"|\bne (?:l['\u2019]|le |la |les )?exécut\w+ (?:pas|jamais)"
    r"|\b(?:ne pas|sans) (?:l['\u2019]|le |la |les )?exécut\w+"
    r"|\bn['\u2019](?:ai|a|avons|est|a été) pas (?:encore )?(?:été )?exécuté"
    r"|\b(?:niet|zonder)\b[^.!?,\n]{0,40}\buit\s?(?:ge|te )?voer\w*"
    r"|\bvoer\b[^.!?\n]{0,30}\bniet uit\b"
    r"|\bnie (?:\w+ ){0,2}(?:uruch\w+|wykon\w+)|\bbez uruch\w+"
    r"|\bçalıştırma(?:yın\w*|dım|dan|yacağım)\b|\b(?:kör|kjør|kør)\w*\s+(?:inte|ikke)\b"
    r"|\b(?:utan att köra|uten å kjøre|uden at køre)\b"
    r"|(?:不要|不能|请勿|請勿|勿|切勿|不应|没有|沒有|没|未|不会|不必|不用|别)"
    r"[^。，、,\n]{0,8}(?:运行|执行|運行|執行)"
    r"|実行し(?:な|てい(?:な|ませ)|ては|ませ)|実行せず|未実行"
    r"|실행하지\s*(?:마|않|말|못)|실행\s*(?:없이|금지)"
    r"|لا (?:تقم ب)?(?:تشغ|تنفذ|تنفيذ)|(?:بدون|دون) (?:تشغيل|تنفيذ)"
    r"|(?:न|नहीं|मत) चला|\b(?:đừng|không) chạy\b"
    r"|\b(?:не (?:запу[сщ]\w+|выполн\w+|исполн\w+)|без (?:запуска|выполнения))\b)"
)
DENIED_AT_END: Final = re.compile(rf"{DENIED}[^.!?。\n]{{0,80}}\W*$", re.IGNORECASE)
DENIED_ANYWHERE: Final = re.compile(DENIED, re.IGNORECASE)
THE_CODE: Final = (
    r"(?:it|this|that|them|these|anything|any of (?:it|them)|yet|please|"
    r"(?:the|any|your|my|this|that)(?: \w+)? (?:code|script|program|commands?|snippet|file|query))"
)
DENIED_IN_TASK: Final = re.compile(
    r"\b(?:do(?:es)? ?n(?:o|['\u2019])?t|dont|never|without|must ?n(?:o|['\u2019])t|no need to|"
    r"not? to|but not|instead of|rather than)\s+(?:actually |ever |even |try to |need to )?"
    rf"(?:run(?:ning)?|execut(?:e|ing))(?: {THE_CODE})*"
    r"\s*(?:[.,;:!?)\n\u2014-]|\Z|(?:and|but|just|only|here|now|because|until|yourself)\b)"
    r"|\b(?:not (?:be )?(?:run|executed)|no execution)\s*(?:[.,;:!?)\n]|\Z)",
    re.IGNORECASE,
)


def forbids_execution(task: str) -> bool:
    """Tell whether a user's task asks for code that is not to be run."""
    return bool(DENIED_IN_TASK.search(task) or DENIED_ANYWHERE.search(task))
