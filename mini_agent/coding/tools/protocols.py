"""Protocols of what the tools depend on: the user, the web, the side model and subagents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mini_agent.tools.invoker import ToolOutput


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that a question offers."""

    label: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the model; with `takes_many`, several choices may be picked."""

    text: str
    header: str
    choices: tuple[Choice, ...]
    takes_many: bool = False


class UserPrompter(Protocol):
    """Puts questions and plans to the user."""

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """Return the answers by the text of their question; unanswered questions are left out."""
        ...

    async def approve_plan(self, plan: str) -> bool:
        """Return whether the user wants the plan to be carried out now."""
        ...


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One result of a web search."""

    title: str
    url: str
    text: str = ""


class PageFetcher(Protocol):
    """Fetches pages of the web."""

    async def fetch(self, url: str) -> str:
        """Return the page at `url` as Markdown; raise `RejectedCall` with the reason if none."""
        ...


class SearchEngine(Protocol):
    """Searches the web."""

    async def search(self, query: str) -> Sequence[SearchResult]:
        """Return the results, best first; raise `RejectedCall` if it cannot search."""
        ...


class Digester(Protocol):
    """A small model that reads pages, so that they do not fill the main model's context."""

    async def digest(self, prompt: str, text: str) -> str:
        """Return what `prompt` asks for out of `text`; the model has no tools."""
        ...


class TaskRunner(Protocol):
    """Runs subagents for the Task tool."""

    def subagent_types(self) -> Mapping[str, str]:
        """Return the types of subagents by name, each with a sentence on when to use it."""
        ...

    async def run(self, kind: str, prompt: str, call_id: str) -> str | ToolOutput:
        """Run a subagent of this type and return its final answer."""
        ...
