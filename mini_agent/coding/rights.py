"""What this session may do: the rules of files and options, and the mode it begins in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from mini_agent.coding.ground import Ground, of_the_project
from mini_agent.coding.late import LateSearch
from mini_agent.coding.permissions.decision import Permissions
from mini_agent.coding.permissions.matching import hidden_by
from mini_agent.coding.permissions.rules import Rule, Rules, rule_written
from mini_agent.coding.permissions.settings import (
    LOCAL,
    PermissionSettings,
    read_permission_settings,
    remember_in,
)
from mini_agent.coding.settings_files import settings_paths
from mini_agent.coding.tools.catalog import offered
from mini_agent.coding.tools.workplace import Workplace
from mini_agent.coding.trust import Trust


def workplace_of(ground: Ground) -> Workplace:
    """Where the tools work: the project, and the folders that options and settings add."""
    places = ground.places
    said = read_permission_settings(_paths(ground), places.project)
    known = [folder for folder in said.additional if folder.is_dir()]
    environment = {**ground.variables, **ground.settings.env}
    at = Workplace.at(places.project, environment, (*places.additional, *known))
    searx = environment.get("MINI_AGENT_SEARXNG_URL")
    return replace(
        at,
        hidden=hidden_by(_rules_of(ground, said), at),
        search=LateSearch(searx) if searx else None,
    )


def permissions_of(ground: Ground, at: Workplace) -> Permissions:
    """The rules; those of options weigh as much as those of files."""
    said = read_permission_settings(_paths(ground), ground.places.project)
    mode = ground.options.permission_mode or said.mode or "default"
    own = {*offered(at), "Task"} if ground.uses_builtin else ()
    rules, keep = _rules_of(ground, said), partial(_keep, ground)
    return Permissions(at, rules, mode, own=frozenset(own), keep=keep)


def _keep(ground: Ground, rule: Rule) -> None:
    """Remembers a rule; where there was nothing of a stranger's, the folder is trusted by that."""
    places = ground.places
    if not ground.is_trusted and not of_the_project(places):
        Trust(places.claude_home).add(places.project)
    remember_in(places.project / LOCAL, rule)


def _paths(ground: Ground) -> Sequence[Path]:
    # INVARIANT: what lies in a folder allows nothing there until the user trusts the folder.
    paths = settings_paths(ground.places.claude_home, ground.places.project)
    return paths if ground.is_trusted else paths[:1]


def _rules_of(ground: Ground, said: PermissionSettings) -> Rules:
    options = ground.options
    named = Rules(deny=_rules(options.disallowed_tools), allow=_rules(options.allowed_tools))
    return said.rules + named


def _rules(written: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(rule_written(text) for text in written)
