"""The assistant's tools as an MCP server on stdin and stdout: `mini-agent tools`.

Prompts, hooks, plan mode and agents are its resources.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import quote

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from mini_agent.coding.agent_resources import (
    AGENT_URI,
    CALLBACK_TOOLS,
    TEMPLATES,
    AgentResources,
    quote_callback,
    read_callback_kinds,
)
from mini_agent.coding.approval import PolicyApprover
from mini_agent.coding.lazy import (
    PATCHES,
    LazyPages,
    LazySearch,
    attach_review,
    open_sandbox,
    open_sandbox_shell,
)
from mini_agent.coding.permissions.matching import denied_globs
from mini_agent.coding.permissions.policy import Deny, PermissionPolicy
from mini_agent.coding.permissions.settings import merge_permission_settings
from mini_agent.coding.prompts.server import SYSTEM_PROMPT_URI
from mini_agent.coding.settings import (
    SettingsFile,
    load_usable_settings,
    merge_settings,
    settings_paths,
)
from mini_agent.coding.tools.catalog import argument_schema, available_tools, coding_tools
from mini_agent.coding.tools.coding_tool import CodingTool, error_output, format_remark, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.errors import BadRequest, MiniAgentError
from mini_agent.mcp.sandbox_server.results import execution_result
from mini_agent.mcp.stdio import serve_stdio
from mini_agent.messages import JsonObject
from mini_agent.settings import Settings
from mini_agent.tools.arguments import ParsedArguments, RejectedCall, build_tool_call
from mini_agent.tools.invoker import Invoker, ToolOutput, discard_output, get_tool_name
from mini_agent.tools.invoker import Tool as OpenAITool
from mini_agent.tools.outputs import parse_output

SERVER_NAME: Final = "mini-agent-tools"
JSON_TYPE: Final = "application/json"
# The experimental capability of a client that carries callbacks out: {"kinds": ["agent", "plan"]}.
CALLBACK_CAPABILITY: Final = "mini-agent/callbacks"
INSTRUCTIONS: Final = (
    "Tools for the files and the shell of the user, in {project}. They ask nobody: let the user "
    "approve the calls."
)


def serve() -> None:
    """Serve one client, in the current folder, until it disconnects."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise BadRequest("the folder you are in is gone", hint="cd into another one") from None
    asyncio.run(_serve(here, dict(os.environ)))


def load_policy(
    context: ToolContext, environment: Mapping[str, str], files: Sequence[SettingsFile]
) -> PermissionPolicy:
    """Return the policy: the client asks its user, what settings deny is denied here too."""
    settings = merge_permission_settings(files, context.project)
    searx = environment.get("MINI_AGENT_SEARXNG_URL")
    context = replace(
        context,
        excluded=denied_globs(settings.rules, context),
        page_fetcher=LazyPages(),
        search_engine=LazySearch(searx) if searx else None,
    )
    return PermissionPolicy(context, settings.rules, "bypassPermissions", can_ask=False)


def claude_home(context: ToolContext) -> Path:
    """Return the folder of the user's settings and agents."""
    return Path(context.environment.get("CLAUDE_CONFIG_DIR") or Path(context.home, ".claude"))


async def build_server(permissions: PermissionPolicy, sandbox: Invoker | None = None) -> Server:
    """Return the server, for any transport; the tools of `sandbox` are added to ours."""
    programs = await sandbox.list_openai_tools() if sandbox is not None else []
    context = permissions.context
    handlers = _Handlers(
        permissions,
        sandbox,
        tuple(map(_sandbox_tool, programs)),
        AgentResources(permissions, claude_home(context)),
        read_callback_kinds(context.environment),
    )
    return Server(
        SERVER_NAME,
        version=version("mini-agent"),
        instructions=INSTRUCTIONS.format(project=permissions.context.project),
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
    )


async def _serve(project: Path, environment: Mapping[str, str]) -> None:
    context = ToolContext.create(project, environment)
    files = _load_files(context)
    permissions = load_policy(context, environment, files)
    async with _in_sandbox(permissions, files), open_sandbox(Settings()) as sandbox:
        server = await build_server(permissions, sandbox)
        await serve_stdio(server, permissions.context.shell.aclose)


@asynccontextmanager
async def _in_sandbox(
    permissions: PermissionPolicy, files: Sequence[SettingsFile]
) -> AsyncIterator[None]:
    """Run Bash in the sandbox where settings say so; changes are applied, as calls are made."""
    home = claude_home(permissions.context)
    settings = merge_settings(files).sandbox
    async with open_sandbox_shell(permissions.context, settings) as context:
        permissions.context = context
        if settings.enabled:
            approver = PolicyApprover(permissions, None)
            attach_review(context, permissions, approver, _warn, home / PATCHES)
        yield


def _load_files(context: ToolContext) -> list[SettingsFile]:
    """Read the settings; what is wrong in them and no permission is a line on standard error."""
    paths = settings_paths(claude_home(context), context.project)
    loaded = [load_usable_settings(path) for path in paths]
    for line in (line for _, lines in loaded for line in lines):
        _warn(line)
    return [file for file, _ in loaded]


def _warn(message: str) -> None:
    print(f"mini-agent: {message}", file=sys.stderr)


@dataclass(frozen=True, slots=True)
class _Handlers:
    permissions: PermissionPolicy
    sandbox: Invoker | None
    programs: tuple[Tool, ...]
    resources: AgentResources
    callback_kinds: frozenset[str]

    async def list_tools(
        self, context: ServerRequestContext, _request: PaginatedRequestParams | None
    ) -> ListToolsResult:
        kinds = self.callback_kinds | _read_capability(context)
        own = available_tools(self.permissions.context)
        # Only such a client can do something with what they answer.
        carried = {tool.__name__: tool for kind, tool in CALLBACK_TOOLS.items() if kind in kinds}
        return ListToolsResult(
            tools=[*(_mcp_tool(*each) for each in {**own, **carried}.items()), *self.programs]
        )

    async def call_tool(
        self, context: ServerRequestContext, request: CallToolRequestParams
    ) -> CallToolResult:
        own = available_tools(self.permissions.context)
        programs = {tool.name for tool in self.programs}
        callbacks = self._callbacks(context)
        if request.name not in {*own, *programs, *callbacks}:
            known = ", ".join((*own, *programs))
            message = f"there is no tool {request.name!r:.80}; there are: {known}"
            raise MCPError(code=INVALID_PARAMS, message=message)
        arguments: JsonObject = request.arguments or {}
        decision = self.permissions.decide(request.name, arguments)
        if isinstance(decision, Deny):
            return _call_result(error_output(f"Error: {decision.reason}"))
        self.resources.note_call(request.name)
        if request.name in callbacks:
            return await self._call_back(callbacks[request.name], arguments)
        call = build_tool_call(str(context.request_id), ParsedArguments(request.name, arguments))
        if self.sandbox is not None and request.name in programs:
            return _call_result(parse_output(await self.sandbox.call_openai_tool(call)))
        tools = coding_tools(self.permissions.context)
        output = await tools.call(call, discard_output)
        return _call_result(replace(output, model_text=quote_callback(output.model_text)))

    async def list_resources(
        self, _context: ServerRequestContext, _request: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        agents = self.resources.agents().values()
        prompt = Resource(
            name="system-prompt", uri=SYSTEM_PROMPT_URI, description=TEMPLATES[SYSTEM_PROMPT_URI]
        )
        listed = (
            Resource(
                name=agent.name,
                uri=f"{AGENT_URI}{quote(agent.name, safe='')}",
                description=agent.description,
                mime_type=JSON_TYPE,
            )
            for agent in agents
        )
        return ListResourcesResult(resources=[prompt, *listed])

    async def list_templates(
        self, _context: ServerRequestContext, _request: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    name=uri.partition("{")[0], uri_template=uri, description=description
                )
                for uri, description in TEMPLATES.items()
            ]
        )

    async def read_resource(
        self, _context: ServerRequestContext, request: ReadResourceRequestParams
    ) -> ReadResourceResult:
        try:
            texts = await self.resources.read(request.uri)
        except MiniAgentError as error:
            message = f"{error.message}; {error.hint}" if error.hint else error.message
            raise MCPError(code=INVALID_PARAMS, message=message) from None
        return ReadResourceResult(
            contents=[TextResourceContents(uri=request.uri, text=text) for text in texts]
        )

    def _callbacks(self, context: ServerRequestContext) -> dict[str, type[CodingTool]]:
        # Those of agents and plans start nothing, so that they need not be asked for.
        kinds = {"agent", "plan"} | self.callback_kinds | _read_capability(context)
        return {tool.__name__: tool for kind, tool in CALLBACK_TOOLS.items() if kind in kinds}

    async def _call_back(self, tool: type[CodingTool], arguments: JsonObject) -> CallToolResult:
        try:
            text = await self.resources.build_callback(tool.model_validate(arguments))
        except ValidationError as error:
            return _call_result(error_output(tool.explain_invalid(error)))
        except (RejectedCall, MiniAgentError) as error:
            return _call_result(error_output(str(error)))
        return _call_result(text_output(text))


def _read_capability(context: ServerRequestContext) -> frozenset[str]:
    capabilities = context.session.client_capabilities
    experimental = (capabilities.experimental if capabilities else None) or {}
    kinds = (experimental.get(CALLBACK_CAPABILITY) or {}).get("kinds")
    return frozenset(map(str, kinds)) if isinstance(kinds, list) else frozenset()


def _mcp_tool(name: str, tool: type[CodingTool]) -> Tool:
    return Tool(
        name=name,
        description=tool.tool_description,
        input_schema=argument_schema(tool),
        annotations=ToolAnnotations(
            read_only_hint=tool.is_read_only,
            destructive_hint=not tool.is_read_only,
            open_world_hint=tool.is_open_world or name == "Bash",
        ),
    )


def _call_result(output: ToolOutput) -> CallToolResult:
    if output.execution is not None:
        return execution_result(output.execution, output.note)
    return CallToolResult(content=list(_content_blocks(output)), is_error=not output.ok)


def _content_blocks(output: ToolOutput) -> Iterator[ContentBlock]:
    yield TextContent(type="text", text=output.model_text or output.error or "")
    if output.note:
        yield TextContent(type="text", text=format_remark(output.note))
    for attached in output.attachments:
        yield ImageContent(type="image", data=attached.base64, mime_type=attached.media_type)


def _sandbox_tool(tool: OpenAITool) -> Tool:
    function = tool.get("function")
    described = function if isinstance(function, dict) else {}
    schema = described.get("parameters")
    return Tool(
        name=get_tool_name(tool),
        description=str(described.get("description", "")),
        input_schema=schema if isinstance(schema, dict) else {"type": "object"},
        annotations=ToolAnnotations(
            read_only_hint=False, destructive_hint=False, open_world_hint=False
        ),
    )
