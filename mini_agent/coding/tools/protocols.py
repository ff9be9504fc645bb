"""Whom the tools ask: the user, the web, the model that digests, and subagents."""

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
    """What the model wants to know; with `takes_many`, several choices may be picked."""

    text: str
    header: str
    choices: tuple[Choice, ...]
    takes_many: bool = False


class UserPrompter(Protocol):
    """The user."""

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        """What was answered, by the text of the question; what was not answered is left out."""
        ...

    async def approve_plan(self, plan: str) -> bool:
        """Whether the plan is to be carried out now."""
        ...


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page that a search found."""

    title: str
    url: str
    text: str = ""


class PageFetcher(Protocol):
    """Where pages of the web come from."""

    async def fetch(self, url: str) -> str:
        """What stands at `url`, as Markdown; `NotRun` says why it cannot be had."""
        ...


class SearchEngine(Protocol):
    """A search engine."""

    async def search(self, query: str) -> Sequence[SearchResult]:
        """The best first; `NotRun` says why there is no answer."""
        ...


class Digester(Protocol):
    """The small model that reads pages, so that the main one need not."""

    async def digest(self, prompt: str, text: str) -> str:
        """What `prompt` wants of `text`; it can call no tools."""
        ...


class TaskRunner(Protocol):
    """Agents that carry out a task of their own."""

    def subagent_types(self) -> Mapping[str, str]:
        """Their names, and when to use each."""
        ...

    async def run(self, kind: str, prompt: str, call_id: str) -> str | ToolOutput:
        """What the agent answers in the end."""
        ...
