"""The tools AskUserQuestion and ExitPlanMode."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from mini_agent.coding.tools.coding_tool import (
    CodingTool,
    Invocation,
    error_output,
    text_output,
)
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.protocols import Choice, Question
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

NO_USER: Final = "Error: nobody is there to be asked."
PLAN_APPROVED: Final = (
    "The user has approved your plan. You can start coding now; begin with your todo list, if the "
    "plan has several steps."
)
PLAN_REJECTED: Final = (
    "The user does not want to go on with this plan yet. Ask what is to be different, or wait for "
    "what the user says."
)


class _Option(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    label: Annotated[str, Field(min_length=1, description="One to five words.")]
    description: Annotated[str, Field(description="What it means.")] = ""


class _Question(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    question: Annotated[str, Field(min_length=1, description="The whole question.")]
    header: Annotated[str, Field(description="A word or two for it.")] = ""
    options: Annotated[
        tuple[_Option, ...], Field(min_length=2, max_length=4, description="Two to four answers.")
    ]
    takes_many: Annotated[bool, Field(alias="multiSelect", description="May several be picked")] = (
        False
    )

    def to_question(self) -> Question:
        """Return the question as the prompter takes it."""
        choices = tuple(Choice(option.label, option.description) for option in self.options)
        return Question(self.question, self.header, choices, self.takes_many)


class AskUserQuestion(CodingTool):
    """Ask the user up to four questions."""

    tool_description: ClassVar[str] = (
        "Ask the user up to four questions, each with two to four answers to choose from; the "
        "user may also answer otherwise. Ask only what you cannot find out."
    )
    questions: Annotated[
        tuple[_Question, ...],
        Field(min_length=1, max_length=4, description="One to four questions."),
    ]

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Return whether there is a user."""
        return context.prompter is not None

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Ask, and return the answers as one text."""
        if invocation.context.prompter is None:
            raise RejectedCall(NO_USER)
        answers = await invocation.context.prompter.ask(
            [question.to_question() for question in self.questions]
        )
        if not answers:
            return text_output(
                "The user did not answer. Go on as you think best, or stop and wait."
            )
        replies = " ".join(f'"{question}" = "{answer}".' for question, answer in answers.items())
        return text_output(f"The user has answered your questions: {replies}")


class ExitPlanMode(CodingTool):
    """Put a plan to the user for approval."""

    tool_description: ClassVar[str] = (
        "In plan mode: show the user your plan, once it is complete, and ask whether to carry it "
        "out. Not for questions that need no plan."
    )
    plan: Annotated[str, Field(min_length=1, description="The plan, in Markdown.")]

    @classmethod
    def is_available(cls, context: ToolContext) -> bool:
        """Return whether there is a user."""
        return context.prompter is not None

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Ask; a rejected plan is a failed call."""
        if invocation.context.prompter is None:
            raise RejectedCall(NO_USER)
        if await invocation.context.prompter.approve_plan(self.plan):
            return text_output(PLAN_APPROVED)
        return error_output(PLAN_REJECTED)
