"""What this session may do: the rules of files and options, and the mode it begins in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from mini_agent.coding.launch import Ground, of_the_project
from mini_agent.coding.lazy import LateSearch
from mini_agent.coding.permissions.matching import hidden_by
from mini_agent.coding.permissions.policy import Permissions
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.permissions.settings import LOCAL, remember_in
from mini_agent.coding.tools.catalog import offered
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.coding.trust import Trust


def workplace_of(ground: Ground) -> Workplace:
    """Where the tools work: the project, and the folders that options and settings add."""
    places, rights = ground.places, ground.rights
    known = [folder for folder in rights.additional if folder.is_dir()]
    environment = {**ground.variables, **ground.settings.env}
    at = Workplace.at(places.project, environment, (*places.additional, *known))
    searx = environment.get("MINI_AGENT_SEARXNG_URL")
    return replace(
        at,
        hidden=hidden_by(rights.rules, at),
        search=LateSearch(searx) if searx else None,
    )


def permissions_of(ground: Ground, at: Workplace) -> Permissions:
    """The rules, and the mode."""
    rights = ground.rights
    mode = ground.options.permission_mode or rights.mode or "default"
    own = {*offered(at), "Task"} if ground.uses_builtin else ()
    return Permissions(at, rights.rules, mode, own=frozenset(own), keep=partial(_keep, ground))


def _keep(ground: Ground, rule: Rule) -> None:
    """Remembers a rule; where there was nothing of a stranger's, the folder is trusted by that."""
    places = ground.places
    if not ground.is_trusted and not of_the_project(places):
        Trust(places.claude_home).add(places.project)
    remember_in(places.project / LOCAL, rule)
