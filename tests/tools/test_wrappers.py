"""What stands in front of other invokers: joining, names, filters, approval, time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from mini_agent import (
    ApprovalInvoker,
    CombinedInvoker,
    EchoMCP,
    FilteredInvoker,
    PrefixedInvoker,
    TimeoutInvoker,
)
from mini_agent.errors import BadRequest, ToolsUnavailable
from mini_agent.messages import JsonObject, function_call
from mini_agent.tools.catalog import ECHO
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    StreamingInvoker,
    Tool,
    ToolOutput,
    get_called_name,
    get_tool_name,
    rename_tool,
    text_output,
)
from mini_agent.tools.outputs import parse_output
from mini_agent.tools.wrappers import MissingToolsWarning
from mini_agent_protocol.execution import Output


class Says:
    """An invoker with `names`, each of which answers with `said` and its name."""

    def __init__(self, said: str, *names: str) -> None:
        self.said, self.names = said, names

    async def list_openai_tools(self) -> list[Tool]:
        return [rename_tool(ECHO, name) for name in self.names]

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        return f"{self.said} {get_called_name(openai_tool)}"

    async def stream_openai_tool(self, openai_tool: OpenAIToolCall, tell: OutputListener) -> str:
        tell(Output(stream="stdout", text="piece"))
        return await self.call_openai_tool(openai_tool)


class Broken:
    async def list_openai_tools(self) -> list[Tool]:
        raise ToolsUnavailable("it is away")

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        raise ToolsUnavailable("it is away")


class Hangs(EchoMCP):
    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        await asyncio.sleep(60)
        return text_output("late")


async def yes(name: str, arguments: JsonObject) -> bool:
    return True


async def names(tools: Invoker) -> list[str]:
    return [get_tool_name(tool) for tool in await tools.list_openai_tools()]


async def came_of(tools: Invoker, name: str) -> ToolOutput:
    return parse_output(await tools.call_openai_tool(function_call("1", name, {"text": "x"})))


async def test_joined_tools_are_listed_in_order_and_the_first_of_a_name_stays() -> None:
    tools = CombinedInvoker(Says("one", "a", "b"), Says("two", "b", "c"))
    assert await names(tools) == ["a", "b", "c"]
    assert (await came_of(tools, "b")).stdout == "one b"
    assert (await came_of(tools, "c")).stdout == "two c"


async def test_a_joined_tool_can_be_called_before_it_was_listed() -> None:
    assert (await came_of(CombinedInvoker(Says("one", "a")), "a")).stdout == "one a"


async def test_a_tool_that_none_of_the_joined_has_is_answered_with_those_there_are() -> None:
    output = await came_of(CombinedInvoker(Says("one", "a"), Says("two", "b")), "c")
    assert output.error == "there is no tool 'c'; there are: a, b"


async def test_one_that_is_away_does_not_take_the_others_down() -> None:
    with pytest.warns(MissingToolsWarning, match="it is away"):
        assert await names(CombinedInvoker(Broken(), Says("two", "b"))) == ["b"]


async def test_the_only_one_that_is_away_is_an_error() -> None:
    with pytest.raises(ToolsUnavailable):
        await names(CombinedInvoker(Broken()))


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(BadRequest):
        CombinedInvoker()


async def test_tools_carry_the_name_of_their_server_and_are_called_by_their_own() -> None:
    tools = PrefixedInvoker("files", Says("one", "read", "write"))
    assert await names(tools) == ["files__read", "files__write"]
    assert (await came_of(tools, "files__read")).stdout == "one read"


async def test_names_that_models_do_not_take_are_put_right_and_stay_apart() -> None:
    long = "x" * 80
    tools = PrefixedInvoker("s", Says("one", "a.b", "a b", long, f"{long}y", "ä"))
    listed = await names(tools)
    assert listed[:2] == ["s__a_b", "s__a_b_2"]
    assert max(len(name) for name in listed) <= 64
    assert len(set(listed)) == 5
    own = [(await came_of(tools, name)).stdout for name in listed]
    assert own == [f"one {name}" for name in ("a.b", "a b", long, f"{long}y", "ä")]


@pytest.mark.parametrize("server", ["", "a b", "ü", "x" * 33])
def test_a_name_that_is_none_for_a_server_is_refused(server: str) -> None:
    with pytest.raises(BadRequest, match="cannot name a server"):
        PrefixedInvoker(server, EchoMCP())


@pytest.mark.parametrize(
    ("enabled", "disabled", "left"),
    [
        (None, (), ["a", "b", "c"]),
        (("a", "b"), (), ["a", "b"]),
        (None, ("a",), ["b", "c"]),
        (("a", "b"), ("b",), ["a"]),
        ((), (), []),
    ],
)
async def test_what_is_filtered_is_neither_listed_nor_called(
    enabled: tuple[str, ...] | None, disabled: tuple[str, ...], left: list[str]
) -> None:
    tools = FilteredInvoker(Says("one", "a", "b", "c"), enabled, disabled)
    assert await names(tools) == left
    assert [name for name in "abc" if (await came_of(tools, name)).ok] == left


async def test_a_call_is_made_when_it_is_approved_with_its_name_and_arguments() -> None:
    asked: list[tuple[str, JsonObject]] = []

    async def approve(name: str, arguments: JsonObject) -> bool:
        asked.append((name, arguments))
        return name == "a"

    tools = ApprovalInvoker(Says("one", "a", "b"), approve)
    assert (await came_of(tools, "a")).stdout == "one a"
    denied = "this call of b was not approved, so it was not made"
    assert (await came_of(tools, "b")).error == denied
    assert asked == [("a", {"text": "x"}), ("b", {"text": "x"})]


async def test_a_call_that_cannot_be_read_is_not_asked_about() -> None:
    output = parse_output(await ApprovalInvoker(EchoMCP(), yes).call_openai_tool({}))
    assert output.error == "the call names no tool"


async def test_a_call_that_takes_too_long_is_cut() -> None:
    output = await came_of(TimeoutInvoker(Hangs(), 0.1), "echo")
    assert output.error == "the call took longer than 0.1 s and was cancelled"


async def test_a_tool_that_runs_out_of_its_own_time_is_not_taken_for_cut() -> None:
    class Impatient(EchoMCP):
        async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await came_of(TimeoutInvoker(Impatient(), 60), "echo")


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_that_cannot_be_is_refused(seconds: float) -> None:
    with pytest.raises(BadRequest):
        TimeoutInvoker(EchoMCP(), seconds)


@pytest.mark.parametrize(
    ("wrap", "name"),
    [
        (CombinedInvoker, "a"),
        (lambda tools: PrefixedInvoker("s", tools), "s__a"),
        (FilteredInvoker, "a"),
        (lambda tools: ApprovalInvoker(tools, yes), "a"),
        (lambda tools: TimeoutInvoker(tools, 5), "a"),
    ],
)
async def test_output_is_told_through_each_of_them(
    wrap: Callable[[Invoker], StreamingInvoker], name: str
) -> None:
    told: list[Output] = []
    call = function_call("1", name, {"text": "x"})
    assert await wrap(Says("one", "a")).stream_openai_tool(call, told.append) == "one a"
    assert [piece.text for piece in told] == ["piece"]
