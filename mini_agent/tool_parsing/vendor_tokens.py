"""Rewrites the tokens of single vendors' chat templates to the forms that several share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

Rewrite: TypeAlias = tuple[re.Pattern[str], str]

THINKING_REWRITES: Final[tuple[Rewrite, ...]] = (
    (re.compile(r"<\|START_THINKING\|>|<\|inner_prefix\|>|<\|thought_start\|>"), "<think>"),
    (re.compile(r"<\|END_THINKING\|>|<\|inner_suffix\|>|<\|thought_end\|>"), "</think>"),
    (re.compile(r"<(/?)(?:seed:|mm:|longcat_|ifm\|)think(?:ing)?>"), r"<\1think>"),
    (re.compile(r"<(/?)think:[a-z0-9]{4,16}>"), r"<\1think>"),
    (re.compile(r"<(/?)scratch_?pad>"), r"<\1think>"),
    (re.compile(r"<\|channel>thought\b(.*?)(?:<channel\|>|\Z)", re.DOTALL), r"<think>\1</think>"),
    (re.compile(r"<\|think\|>(.*?)(?:<\|end\|>|\Z)", re.DOTALL), r"<think>\1</think>"),
    (re.compile(r"<\|open\|>think(?:ing)?<\|sep\|>"), "<think>"),
    (re.compile(r"<\|close\|>think(?:ing)?<\|sep\|>"), "</think>"),
    (
        re.compile(r"\A\s*Here are my reasoning steps:(.*?)\[BEGIN FINAL RESPONSE\]", re.DOTALL),
        r"<think>\1</think>",
    ),
    (
        re.compile(
            r"\A\s*Here(?: i|')s my thought process:(.*?)^Here(?: i|')s my response:",
            re.DOTALL | re.MULTILINE,
        ),
        r"<think>\1</think>",
    ),
    (
        re.compile(r"(</think>\s*)<response>\s*(.*?)\s*</response>", re.DOTALL),
        r"\1\2",
    ),
    (re.compile(r"\[END FINAL RESPONSE\]\s*\Z"), ""),
    (re.compile(r"<\|(?:open|close)\|>(?:response|message)<\|sep\|>"), ""),
    (re.compile(r"(?:<\|begin\|>assistant|\A)\s*<\|content\|>"), ""),
)
CALL_REWRITES: Final[tuple[Rewrite, ...]] = (
    # LongCat, Dots, K2 Horizon and Hunyuan put a name before or behind the usual tags.
    (
        re.compile(
            r"<(/?)(?:longcat_|dots_|ifm\|)(tool_calls?|function_calls?|arg_key|arg_value)>"
        ),
        r"<\1\2>",
    ),
    (
        re.compile(r"<(/?)(tool_calls?|tool_sep|arg_key|arg_value):[a-z0-9]{4,16}>"),
        r"<\1\2>",
    ),
    (re.compile(r"<ifm\|arg_type>[^<>]*</ifm\|arg_type>"), ""),
    (re.compile(r"\]<\]minimax\[>\["), ""),
    # DeepSeek's distilled models spell its separators in several ways.
    (
        re.compile(r"<\uff5ctool(?:_| |\\_)(calls?|sep|outputs?)(?:_| |\\_)(begin|end)\uff5c>"),
        "<\uff5ctool\u2581\\1\u2581\\2\uff5c>",
    ),
    (re.compile(r"<\uff5ctool(?:_| |\\_)sep\uff5c>"), "<\uff5ctool\u2581sep\uff5c>"),
    # Kimi K3: <|open|>call tool="..." index="1"<|sep|>, and each argument likewise.
    (
        re.compile(r"<\|open\|>\s*call\s+tool=\"([^\"<>]{1,64})\"[^<>]{0,60}<\|sep\|>"),
        r'<invoke name="\1">',
    ),
    (
        re.compile(r"<\|open\|>\s*argument\s+key=\"([^\"<>]{1,64})\"[^<>]{0,60}<\|sep\|>"),
        r'<parameter name="\1">',
    ),
    (re.compile(r"<\|close\|>\s*argument\s*<\|sep\|>"), "</parameter>"),
    (re.compile(r"<\|close\|>\s*call\s*<\|sep\|>"), "</invoke>"),
    (re.compile(r"<\|(?:open|close)\|>\s*tools\s*<\|sep\|>"), ""),
    # Solar Open: an id, the name and the arguments, each behind its own token.
    (re.compile(r"<\|tool_call:begin\|>[\w-]{0,64}<\|tool_call:name\|>"), "<|tool_call|>"),
    (re.compile(r"<\|tool_call:args\|>"), " "),
    (re.compile(r"<\|tool_call:end\|>"), "<|/tool_call|>"),
    (re.compile(r"\bfunction call<\|role_sep\|>"), "<|function_call|>"),
    (re.compile(r"^[ \t]*-> tool/function_call[ \t]*$", re.MULTILINE), "<|tool_calls|>"),
    (re.compile(r"<\|action_start\|>\s*<\|interpreter\|>"), "<|python_tag|>"),
    (re.compile(r"^[ \t]*<<function>>[ \t]*(?=\[?[A-Za-z_])", re.MULTILINE), ""),
    (re.compile(r"<tool:[ \t]*(\w{1,40})>"), r"<tool=\1>"),
    # ChatGLM3 calls a function named tool_call in a block below the tool's name.
    (
        re.compile(
            r"^([A-Za-z_]\w{0,63})[ \t]*\n```python\s*\ntool_call(\(.*?\))[ \t]*\n```",
            re.DOTALL | re.MULTILINE,
        ),
        r"\1\2",
    ),
)
# Where calls were, their wrappers may be left: tokens, and tags that only frame calls.
WRAPPER: Final = re.compile(
    r"<\|(?:begin|start)\|>\s*assistant|<\|channel\|>\s*\w+|(?:\bfunction)?<\uff5ctool▁sep\uff5c>"
    r"|\bto=\w+\s*(?=<|\Z)|\[unused1[12]\]|\*\*Tool Call:\*\*"
    r"|<\|/?[\w:. -]{1,40}\|?>|<[\uff5c|][^<>\uff5c|\n]{1,40}[\uff5c|]>"
    r"|(?:<|&lt;)/?(?:\w{1,12}:)?(?:tool_?calls?|function_?calls?|use_mcp_tool|json|xml|"
    r"response)(?:>|&gt;)"
    r"|\[/?(?:TOOL_CALLS?|END FINAL RESPONSE)\]",
    re.IGNORECASE,
)
EMPTY_FENCE: Final = re.compile(r"^[ \t]*```\w*\s*(?:```)?[ \t]*$", re.MULTILINE)


def rewrite_thinking(text: str) -> str:
    """Rewrite the tokens around reasoning to `<think>` tags, and drop those around an answer."""
    return _apply(THINKING_REWRITES, text) if _may_have_tokens(text) else text


def rewrite_calls(text: str) -> str:
    """Rewrite the tokens around calls, so that `scan_text` finds them."""
    return _apply(CALL_REWRITES, text) if _may_have_tokens(text) or "tool_call" in text else text


def strip_wrappers(text: str) -> str:
    """Remove what calls that were cut out of `text` have left of their wrappers."""
    rest = WRAPPER.sub("", text)
    return EMPTY_FENCE.sub("", rest).strip() if rest != text else text


def _may_have_tokens(text: str) -> bool:
    return any(each in text for each in ("<", "Here", "-> tool/"))


def _apply(rewrites: Sequence[Rewrite], text: str) -> str:
    for pattern, replacement in rewrites:
        text = pattern.sub(replacement, text)
    return text
