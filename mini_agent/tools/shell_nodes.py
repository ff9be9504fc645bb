"""The kinds of nodes in the tree of a shell line, and the text that stands in them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
ESCAPED_IN_QUOTES: Final = re.compile(r'\\([$`"\\])|\\\n')
ESCAPED_IN_BACKTICKS: Final = re.compile(r"\\([$`\\])")
PLAIN: Final = re.compile(r"(?:[^ \t\n'\"\\`;|&<>]|\\.)*", re.DOTALL)
# What may stand between two pieces of a line. A \ and a newline alone join them.
GAP: Final = re.compile(r"[ \t\n]*|[ \t\n]+(?:\\\n[ \t\n]*)+|\\\n[ \t]+(?:\\\n[ \t]*)*")
HARMLESS: Final = ("2>&1", "1>&2", ">&2", "2>/dev/null", ">/dev/null", "1>/dev/null")
RESERVED: Final = frozenset(
    {"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac"}
    | {"select", "function", "in", "coproc", "{", "}", "!"}
)
HIDING: Final = frozenset(
    {"command_substitution", "process_substitution", "arithmetic_expansion", "comment"}
    | {"ansi_c_string", "translated_string", "heredoc_redirect"}
)
# These alone make a line that is nothing but commands one after the other.
JOINING: Final = frozenset({"program", "list", "pipeline", "subshell", "redirected_statement"})
SIGNS: Final = frozenset({";", "|", "|&", "||", "&&", "&", "(", ")", "\n"})
COMMANDS: Final = frozenset({"command", "declaration_command", "unset_command", "test_command"})
REDIRECTIONS: Final = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
SUBSTITUTIONS: Final = frozenset({"command_substitution", "process_substitution"})
WITH_TEXT: Final = frozenset({"string", "heredoc_body", "expansion", "regex"})
# Of what stands between [[ and ]], these hold several words.
TESTS: Final = frozenset(
    {"unary_expression", "binary_expression", "parenthesized_expression", "negation_expression"}
)
MAX_DEPTH: Final = 8


@lru_cache(maxsize=1)
def bash_parser() -> Parser:
    """Load the grammar, once."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def test_words(node: Node) -> Iterator[Node]:
    """Yield the words of a command; those between [[ and ]] as well."""
    for child in node.children:
        if node.type == "test_command" and child.type in TESTS:
            yield from _flat(child)
        else:
            yield child


def _flat(test: Node) -> Iterator[Node]:
    waiting = [test]
    while waiting:
        node = waiting.pop()
        if node.type in TESTS:
            waiting += reversed(node.children)
        else:
            yield node


def unquoted(node: Node, written: bytes) -> str:
    """Return the text of a word without its quotes."""
    source = written[node.start_byte : node.end_byte].decode("utf-8", "replace")
    if node.type in ("command_name", "concatenation"):
        return "".join(unquoted(child, written) for child in node.children)
    if node.type == "word":
        return ESCAPED.sub(lambda found: found[1].strip("\n"), source)
    if node.type == "raw_string":
        return source[1:-1]
    if node.type in ("string", "translated_string"):
        return ESCAPED_IN_QUOTES.sub(r"\1", source.removeprefix("$")[1:-1])
    if node.type == "ansi_c_string":
        with suppress(ValueError):
            return codecs.decode(source[2:-1], "unicode_escape")
    return source
