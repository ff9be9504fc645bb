"""The permissions of a session, and what else asks them: conditions of hooks, and memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from mini_agent.coding.hooks.event import HookEvent
from mini_agent.coding.launch import LaunchConfig
from mini_agent.coding.permissions.matching import concerns
from mini_agent.coding.permissions.policy import Allow, Decision, Deny, PermissionPolicy
from mini_agent.coding.permissions.request import parse_request
from mini_agent.coding.permissions.rules import Rule, parse_rule
from mini_agent.coding.permissions.settings import LOCAL_SETTINGS, add_allow_rule
from mini_agent.coding.text_source import find_root
from mini_agent.coding.tools.catalog import available_tools
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.text_file import real_path
from mini_agent.coding.trust import TrustStore
from mini_agent.errors import BadRequest
from mini_agent.tools.arguments import RejectedCall


def build_permissions(launch: LaunchConfig, context: ToolContext) -> PermissionPolicy:
    """Build the permission policy from the rules and the mode."""
    permission_settings = launch.permission_settings
    mode = launch.options.permission_mode or permission_settings.mode or "default"
    own_tools = {*available_tools(context), "Task"} if launch.uses_builtin else ()
    return PermissionPolicy(
        context,
        permission_settings.rules,
        mode,
        own_tools=frozenset(own_tools),
        save_rule=partial(_remember_rule, launch),
    )


def matches_condition(context: ToolContext, rule: str, event: HookEvent) -> bool:
    """Tell whether any part of an event's call matches the rule; a call nobody can read does.

    Raises `BadRequest` where the rule is none.
    """
    arguments, parsed = event.payload.get("tool_input"), parse_rule(rule)
    try:
        request = parse_request(
            event.subject, arguments if isinstance(arguments, dict) else {}, context
        )
    except (ValidationError, RejectedCall):
        return True
    return concerns(parsed, request)


@dataclass(frozen=True, slots=True)
class MemoryRules:
    """Decides on memory files as on calls of the tool Read, in every mode as in the default one."""

    permissions: PermissionPolicy

    def deny(self, path: Path) -> str:
        """Return why a file is denied; empty where it is not."""
        decision = self._decide(path)
        return decision.reason if isinstance(decision, Deny) else ""

    def permit(self, path: Path) -> bool:
        """Tell whether the file needs no question."""
        return isinstance(self._decide(path), Allow)

    def _decide(self, path: Path) -> Decision:
        policy = replace(self.permissions, mode="default", can_ask=True)
        return policy.decide("Read", {"file_path": str(path)})


def _remember_rule(launch: LaunchConfig, rule: Rule) -> None:
    """Save an allow rule of the user's; it trusts nothing else in the folder."""
    paths = launch.paths
    path = paths.project / LOCAL_SETTINGS
    if not real_path(path).is_relative_to(find_root(paths.project)):
        raise BadRequest(
            f"{path} leads out of the project, so the rule {rule} holds until the end of this "
            "session only",
            hint="make it a file of the project",
        )
    TrustStore(paths.claude_home).add_rule(paths.project, str(rule))
    add_allow_rule(path, rule)
