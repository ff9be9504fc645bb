"""The calls that are let through: all of them are on this page, and there is no other way."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from urllib.parse import urlencode

from codex_sidecar.engine.confinement import SANDBOX_LABEL
from codex_sidecar.guard.errors import Malformed, Refused
from codex_sidecar.guard.http import Head


class Act(Enum):
    """What a call does."""

    PING = auto()
    VERSION = auto()
    FACTS = auto()
    LIST = auto()
    IMAGE = auto()
    CREATE = auto()
    INSPECT = auto()
    START = auto()
    KILL = auto()
    ATTACH = auto()
    REMOVE = auto()


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `target` is what the engine is asked, written anew; `name` a container's."""

    act: Act
    method: str
    target: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    act: Act
    method: str
    path: str
    query: str = ""


# A name can be told from the id of a container, or from a part of one: it is not hexadecimal.
NAME: Final = r"mini-agent-sandbox-[0-9a-f]{16}"
_ONE: Final = rf"/containers/({NAME})"
_VERSION: Final = re.compile(r"/v1\.[0-9]{2}(?=/)")
_STREAMS: Final = "stream=1&stdin=1&stdout=1&stderr=1"
_OURS: Final = urlencode({"all": 1, "filters": json.dumps({"label": [f"{SANDBOX_LABEL}=1"]})})

_RULES: Final = (
    _Rule(Act.PING, "GET", "/_ping"),
    _Rule(Act.VERSION, "GET", "/version"),
    _Rule(Act.FACTS, "GET", "/info"),
    # Whatever it asks for, it is told of sandboxes alone.
    _Rule(Act.LIST, "GET", "/containers/json", query=".*"),
    _Rule(Act.CREATE, "POST", "/containers/create", query=f"name=({NAME})"),
    _Rule(Act.INSPECT, "GET", f"{_ONE}/json"),
    _Rule(Act.START, "POST", f"{_ONE}/start"),
    _Rule(Act.KILL, "POST", f"{_ONE}/kill"),
    _Rule(Act.ATTACH, "POST", f"{_ONE}/attach", query=re.escape(_STREAMS)),
    _Rule(Act.REMOVE, "DELETE", _ONE, query="force=1&v=1"),
)


def call_of(head: Head, images: frozenset[str]) -> Call:
    """The call that a request is; `Refused` where it is none of ours."""
    # The version is the guard's to choose: older ones take the same words for other things.
    path = _VERSION.sub("", head.path, count=1)
    call = _image(head, path, images) or _ruled(head, path)
    if call is None:
        raise Refused("this call is not one that the sidecar makes")
    if head.upgrades != (call.act is Act.ATTACH):
        raise Malformed("Upgrade goes with attach, and attach with Upgrade")
    if head.length and call.act is not Act.CREATE:
        raise Refused("this call has no body")
    return call


def _image(head: Head, path: str, images: frozenset[str]) -> Call | None:
    asked = path.removeprefix("/images/").removesuffix("/json")
    if head.method == "GET" and not head.query and path == f"/images/{asked}/json":
        return Call(Act.IMAGE, "GET", path) if asked in images else None
    return None


def _ruled(head: Head, path: str) -> Call | None:
    for rule in _RULES:
        place = re.fullmatch(rule.path, path)
        asked = re.fullmatch(rule.query, head.query)
        if rule.method == head.method and place and asked:
            name = "".join((*place.groups(), *asked.groups()))
            query = _OURS if rule.act is Act.LIST else head.query
            return Call(rule.act, rule.method, f"{path}?{query}" if query else path, name)
    return None
