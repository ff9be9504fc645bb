"""Parse a shell line with tree-sitter's grammar of bash."""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mini_agent.tools.shell_line import Loop, Redirection, ShellLine, SimpleCommand, Word

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
ESCAPED_IN_QUOTES: Final = re.compile(r'\\([$`"\\])|\\\n')
ESCAPED_IN_BACKTICKS: Final = re.compile(r"\\([$`\\])")
PLAIN_WORD: Final = re.compile(r"(?:[^ \t\n'\"\\`;|&<>]|\\.)*", re.DOTALL)
# What may stand between two pieces of a line. A \ and a newline alone join them.
GAP: Final = re.compile(r"[ \t\n]*|[ \t\n]+(?:\\\n[ \t\n]*)+|\\\n[ \t]+(?:\\\n[ \t]*)*")
HARMLESS_REDIRECTIONS: Final = ("2>&1", "1>&2", ">&2", "2>/dev/null", ">/dev/null", "1>/dev/null")
RESERVED_WORDS: Final = frozenset(
    {"if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac"}
    | {"select", "function", "in", "coproc", "{", "}", "!"}
)
HIDING_NODES: Final = frozenset(
    {"command_substitution", "process_substitution", "arithmetic_expansion", "comment"}
    | {"ansi_c_string", "translated_string", "heredoc_redirect"}
)
# These alone make a line that is nothing but commands one after the other.
JOINING_NODES: Final = frozenset(
    {"program", "list", "pipeline", "subshell", "redirected_statement"}
)
# With these a line is parts, each of which is known: conditions, loops, groups.
PART_NODES: Final = JOINING_NODES | frozenset(
    {"negated_command", "if_statement", "elif_clause", "else_clause", "for_statement"}
    | {"while_statement", "do_group", "compound_statement", "variable_assignment"}
)
PART_TOKENS: Final = frozenset(
    {"!", "if", "then", "elif", "else", "fi", "for", "in", "while", "until", "do", "done"}
    | {"{", "}"}
)
SEQUENCE_NODES: Final = frozenset({"program", "list", "redirected_statement"})
SEQUENCE_TOKENS: Final = frozenset({";", "&&", "\n"})
OPERATORS: Final = frozenset({";", "|", "|&", "||", "&&", "&", "(", ")", "\n"})
COMMAND_NODES: Final = frozenset(
    {"command", "declaration_command", "unset_command", "test_command"}
)
REDIRECTION_NODES: Final = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
SUBSTITUTION_NODES: Final = frozenset({"command_substitution", "process_substitution"})
TEXT_NODES: Final = frozenset({"string", "heredoc_body", "expansion", "regex"})
# Of what stands between [[ and ]], these hold several words.
TEST_NODES: Final = frozenset(
    {"unary_expression", "binary_expression", "parenthesized_expression", "negation_expression"}
)
MAX_DEPTH: Final = 8


@lru_cache(maxsize=1)
def load_bash_parser() -> Parser:
    """Load the grammar, once."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def iterate_word_nodes(node: Node) -> Iterator[Node]:
    """Yield the words of a command; those between [[ and ]] as well."""
    for child in node.children:
        if node.type == "test_command" and child.type in TEST_NODES:
            yield from _iterate_test_nodes(child)
        else:
            yield child


def _iterate_test_nodes(test: Node) -> Iterator[Node]:
    waiting = [test]
    while waiting:
        node = waiting.pop()
        if node.type in TEST_NODES:
            waiting += reversed(node.children)
        else:
            yield node


def unquote(node: Node, written: bytes) -> str:
    """Return the text of a word without its quotes."""
    source = written[node.start_byte : node.end_byte].decode("utf-8", "replace")
    if node.type in ("command_name", "concatenation"):
        return "".join(unquote(child, written) for child in node.children)
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


@lru_cache(maxsize=128)
def parse_line(line: str) -> ShellLine:
    """Parse `line` as bash would; what is not understood is the result's `problem`."""
    return _parse(line, 0)


def _parse(line: str, depth: int) -> ShellLine:
    if not any(sign in line for sign in ("'", "<<", "#")):
        line = ESCAPED.sub(lambda found: "" if found[1] == "\n" else found[0], line)
    written = line.encode("utf-8", "surrogatepass")
    reader = _Reader(written, depth)
    reader.read(load_bash_parser().parse(written).root_node)
    return reader.result()


@dataclass(slots=True)
class _Reader:
    """Collects what the nodes of a tree say; `pending` are those still to be read, last first."""

    written: bytes
    depth: int
    commands: list[SimpleCommand] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)
    assignments: list[str] = field(default_factory=list)
    problem: str = ""
    hiding: str = ""
    loops: list[Loop] = field(default_factory=list)
    only_joined: bool = True
    only_parts: bool = True
    is_sequence: bool = True
    has_operators: bool = False
    pending: list[Node] = field(default_factory=list)

    def read(self, root: Node) -> None:
        if root.has_error:
            self._doubt("it is not complete, or not written as a shell expects")
        self._check_gap(0, root.start_byte)
        self._check_gap(root.end_byte, len(self.written))
        # A stack, because long lines nest deeper than Python calls can.
        self.pending = [root]
        while self.pending:
            self._read_node(self.pending.pop())

    def result(self) -> ShellLine:
        return ShellLine(
            tuple(self.commands),
            tuple(self.redirections),
            tuple(self.assignments),
            self.problem,
            self.hiding,
            tuple(self.loops),
            only_joined=self.only_joined and not (self.problem or self.hiding),
            only_parts=self.only_parts and not (self.problem or self.hiding),
            is_sequence=self.is_sequence,
            plain=len(self.commands) == 1
            and not (self.has_operators or self.problem or self.hiding),
        )

    def _read_node(self, node: Node) -> None:
        self._notice(node)
        if node.type in COMMAND_NODES:
            self._command(node, ())
        elif node.type == "redirected_statement":
            self._redirected(node)
        elif node.type in REDIRECTION_NODES:
            self._add_words(self._redirection(node))
        elif node.type == "variable_assignment":
            self._assignment(node)
        elif node.type == "for_statement":
            self._loop(node)
        elif node.type == "command_substitution" and self._bytes(node)[:1] == b"`":
            self._backticks(node)
        else:
            if node.type == "compound_statement" and self._bytes(node)[:2] == b"((":
                self.only_parts = False
                self.commands.append(SimpleCommand((Word("((", "(("), self._word(node))))
            self._check_gaps(node)
            self.pending += reversed(node.children)

    def _notice(self, node: Node) -> None:
        if node.type in HIDING_NODES:
            self._hides(node)
        own = COMMAND_NODES | REDIRECTION_NODES
        joining, parts, sequence = (
            (JOINING_NODES | own, PART_NODES | own, SEQUENCE_NODES | own)
            if node.is_named
            else (OPERATORS, OPERATORS | PART_TOKENS, SEQUENCE_TOKENS)
        )
        self.only_joined &= node.type in joining
        self.only_parts &= node.type in parts
        self.is_sequence &= node.type in sequence
        self.has_operators |= node.type not in COMMAND_NODES | {"program"}

    def _command(self, node: Node, extra: Iterable[Node]) -> None:
        words: list[Word] = []
        assignments: list[str] = []
        self._check_gaps(node)
        for child in (*iterate_word_nodes(node), *extra):
            if child.type == "variable_assignment" and node.type == "command" and not words:
                assignments.append(self._assignment(child))
            elif child.type in REDIRECTION_NODES:
                words += map(self._argument, self._redirection(child))
            else:
                words.append(self._argument(child))
        if node.type == "command" and words:
            self._check_name(words[0])
        if words:
            self.commands.append(SimpleCommand(tuple(words), tuple(assignments)))

    def _check_name(self, name: Word) -> None:
        if not name.is_static and name.text != "[":
            self._doubt(f"only a shell can tell which command {name.source:.40} is")
        elif name.text in RESERVED_WORDS:
            self._doubt(f"{name.text} stands where a command is expected")

    def _loop(self, node: Node) -> None:
        self._check_gaps(node)
        name = next((each for each in node.children if each.type == "variable_name"), node)
        body = [each for each in node.children if not each.is_named or each.type == "do_group"]
        words = [each for each in node.named_children if each not in (name, *body)]
        self.loops.append(Loop(self._source(name), tuple(map(self._argument, words))))
        self.pending += reversed(body)

    def _add_words(self, nodes: list[Node]) -> None:
        if nodes:
            self._doubt("there are words where none are expected")
            self.commands.append(SimpleCommand(tuple(map(self._argument, nodes))))

    def _redirected(self, node: Node) -> None:
        self._check_gaps(node)
        extra = [
            word
            for child in node.children
            if child.type in REDIRECTION_NODES
            for word in self._redirection(child)
        ]
        bodies = [child for child in node.children if child.type not in REDIRECTION_NODES]
        if bodies and bodies[0].type == "command":
            self._command(bodies.pop(0), extra)
        else:
            self._add_words(extra)
        self.pending += reversed(bodies)

    def _redirection(self, node: Node) -> list[Node]:
        """Note it, and return the words in it that belong to the command before it."""
        self.has_operators = True
        self._check_gaps(node)
        if node.type == "heredoc_redirect":
            return self._here_document(node)
        targets = [each for each in node.named_children if each.type != "file_descriptor"]
        end = targets[0].start_byte if targets else node.end_byte
        operator = self.written[node.start_byte : end].decode(errors="replace").strip()
        target = self._argument(targets[0]) if targets else Word("", "")
        self.redirections.append(Redirection(operator, target))
        self.only_joined &= f"{operator}{target.source}" in HARMLESS_REDIRECTIONS
        return targets[1:]

    def _here_document(self, node: Node) -> list[Node]:
        self._hides(node)
        extra: list[Node] = []
        start = next((each for each in node.children if each.type == "heredoc_start"), node)
        is_literal = any(sign in self._bytes(start) for sign in (b"'", b'"', b"\\"))
        for child in node.named_children:
            if child.type == "heredoc_body":
                body = self._source(child)
                self.redirections.append(Redirection("<<", Word(body, body)))
                if not is_literal:
                    self._expansions(child)
            elif child.type in REDIRECTION_NODES:
                extra += self._redirection(child)
            elif child.type in JOINING_NODES | COMMAND_NODES or child.type.endswith("statement"):
                self.pending.append(child)
            elif child.type not in ("heredoc_start", "heredoc_end", "file_descriptor"):
                extra.append(child)
        return extra

    def _expansions(self, body: Node) -> None:
        self._substitutions(body)
        # The grammar misses some of them, such as the first of a body.
        rest = bytearray(self._bytes(body))
        for child in body.named_children:
            at = child.start_byte - body.start_byte
            if child.type != "heredoc_content":
                rest[at : at + child.end_byte - child.start_byte] = b" " * len(self._bytes(child))
        if missed := re.search(rb"\$\(|`", rest):
            self._doubt("the text of its here-document holds commands")
            self._merge(rest[missed.start() :].decode(errors="replace"))

    def _assignment(self, node: Node) -> str:
        self.only_joined, self.has_operators = False, True
        self._substitutions(node)
        name, sign, value = self._source(node).partition("=")
        children = node.named_children
        text = self._word(children[-1]).text if value and len(children) > 1 else value
        self.assignments.append(f"{name}{sign}{text}")
        return self.assignments[-1]

    def _backticks(self, node: Node) -> None:
        inner = self._bytes(node)[1:-1].decode(errors="replace")
        self._merge(ESCAPED_IN_BACKTICKS.sub(r"\1", inner))

    def _merge(self, line: str) -> None:
        if self.depth >= MAX_DEPTH:
            self._doubt("its commands are nested too deeply")
            return
        inner = _parse(line, self.depth + 1)
        self.commands += inner.commands
        self.redirections += inner.redirections
        self.assignments += inner.assignments
        self._doubt(inner.problem)

    def _argument(self, node: Node) -> Word:
        self._substitutions(node)
        return self._word(node)

    def _substitutions(self, node: Node) -> None:
        """Put the commands inside of a word on the stack, and check its pieces."""
        inside = [node]
        found: list[Node] = []
        while inside:
            each = inside.pop()
            if each.type in HIDING_NODES:
                self._hides(each)
            if each.type in SUBSTITUTION_NODES:
                found.append(each)
                continue
            if each.type == "word" and not PLAIN_WORD.fullmatch(self._source(each)):
                self._doubt(f"the word {self._source(each)!r:.40} is not clear")
            self._check_gaps(each)
            inside += reversed(each.children)
        if not found and node.type != "raw_string" and b"`" in self._bytes(node):
            self._doubt("it holds a ` that is not clear")
        self.pending += reversed(found)

    def _word(self, node: Node) -> Word:
        return Word(unquote(node, self.written), self._source(node))

    def _check_gaps(self, node: Node) -> None:
        children = node.children
        if not children or node.type in TEXT_NODES:
            return
        self._check_gap(node.start_byte, children[0].start_byte)
        self._check_gap(children[-1].end_byte, node.end_byte)
        for before, after in itertools.pairwise(children):
            self._check_gap(before.end_byte, after.start_byte)
            gap = self.written[before.end_byte : after.start_byte]
            if b"\n" in gap.replace(b"\\\n", b"") and node.type in COMMAND_NODES - {"test_command"}:
                self._doubt("one of its commands goes over the end of a line")
            is_one = before.end_byte == after.start_byte and node.type in COMMAND_NODES
            if is_one and not {before.type, after.type} & REDIRECTION_NODES:
                self._doubt("where one of its words ends is not clear")

    def _check_gap(self, start: int, end: int) -> None:
        # INVARIANT: every byte of a line is a piece of the tree, or a blank to a shell as well.
        if start < end and not GAP.fullmatch(self.written[start:end].decode(errors="replace")):
            self._doubt("it holds characters that are not read as a shell reads them")

    def _hides(self, node: Node) -> None:
        sign = re.match(r"\$?[('\"]|[<>]\(|<<|`|\$", self._source(node))
        self.hiding = self.hiding or (sign[0] if sign else "a # comment")

    def _doubt(self, why: str) -> None:
        self.problem = self.problem or why

    def _bytes(self, node: Node) -> bytes:
        return self.written[node.start_byte : node.end_byte]

    def _source(self, node: Node) -> str:
        return self._bytes(node).decode("utf-8", "replace")
