"""What is known before a session is opened: places, settings, models, trust."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.models import digest_model_for, model_named
from mini_agent.coding.options import Options
from mini_agent.coding.permissions.rules import Rules, rule_written
from mini_agent.coding.permissions.settings import PermissionSettings, read_permission_settings
from mini_agent.coding.places import Places, branch_of, places_of
from mini_agent.coding.settings import ClaudeSettings, read_settings, settings_paths
from mini_agent.coding.transcript.locations import (
    Origin,
    Place,
    new_place,
    newest_place,
    place_named,
    sessions_folder,
)
from mini_agent.coding.trust import Trust
from mini_agent.errors import BadRequest

PROJECT_SERVERS: Final = ".mcp.json"


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that is read once, at the start."""

    options: Options
    variables: Mapping[str, str] = field(repr=False)
    places: Places
    settings: ClaudeSettings
    model: str
    digest_model: str
    rights: PermissionSettings
    is_trusted: bool
    remarks: tuple[str, ...] = ()

    @property
    def sessions(self) -> Path:
        """Where this project's sessions are."""
        return sessions_folder(self.places.claude_home, self.places.project)

    @property
    def origin(self) -> Origin:
        """What the lines of a session say of where they were written."""
        return Origin(str(self.places.project), branch_of(self.places.project))

    @property
    def uses_builtin(self) -> bool:
        """Whether our own tools and prompts are wanted; they are where no server is named."""
        return not self.options.mcp or "builtin" in self.options.mcp

    def place(self) -> Place:
        """The session that is asked for."""
        if self.options.resume and self.options.continues:
            raise BadRequest("--resume and --continue name a session each", hint="take one of them")
        if self.options.resume:
            return place_named(self.options.resume, self.sessions)
        return newest_place(self.sessions) if self.options.continues else new_place(self.sessions)


def ground_of(options: Options, variables: Mapping[str, str]) -> Ground:
    """The ground for `options`; raises what is wrong with it.

    What a project says that is not trusted is left out, with a remark: its hooks and servers are
    commands and its rules allow them, and a stranger may have written both.
    """
    places = places_of(options.add_dirs, variables)
    trust = Trust(places.claude_home)
    if options.trusts and not trust.has(places.project):
        trust.add(places.project)
    is_trusted = trust.has(places.project)
    # INVARIANT: what lies in a folder allows nothing there until the user trusts the folder.
    paths = settings_paths(places.claude_home, places.project)[: None if is_trusted else 1]
    settings = read_settings(paths)
    model = model_named(options.model, settings.model, variables)
    return Ground(
        options=options,
        variables=variables,
        places=places,
        settings=settings,
        model=model,
        digest_model=options.digest_model or digest_model_for(model),
        rights=_rights(read_permission_settings(paths, places.project), options),
        is_trusted=is_trusted,
        remarks=settings.remarks if is_trusted else (*settings.remarks, *_untrusted(places)),
    )


def _rights(said: PermissionSettings, options: Options) -> PermissionSettings:
    """What files say, and the rules of options, which weigh as much."""
    deny, allow = (
        tuple(rule_written(text) for text in given)
        for given in (options.disallowed_tools, options.allowed_tools)
    )
    return replace(said, rules=said.rules + Rules(deny=deny, allow=allow))


def of_the_project(places: Places) -> list[Path]:
    """The files in the project that may start commands or allow them."""
    settings = settings_paths(places.claude_home, places.project)[1:]
    return [path for path in (places.project / PROJECT_SERVERS, *settings) if path.is_file()]


def _untrusted(places: Places) -> list[str]:
    own = of_the_project(places)
    return [f"{path} is left out: this folder is not trusted yet (--trust)" for path in own]
