"""A sixth language, added as a contributor or as an operator would, and one folder of an image."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[2]
ENTRY = """
    LanguageSpec(
        name="perl",
        title="Perl",
        image="perl",
        program="main.pl",
        start=("perl",),
        aliases=("pl",),
        commands=("perl",),
    ),
"""
FILE = """
[perl]
title = "Perl"
image = "perl"
program = "main.pl"
start = ["perl"]
aliases = ["pl"]
commands = ["perl"]
"""
# The base of every image has the interpreter already.
DOCKERFILE = """\
ARG FOUNDATION=mini-agent/sandbox-foundation:local
ARG BASE=mini-agent/sandbox-base:local
FROM ${BASE} AS base
FROM ${FOUNDATION}
RUN /opt/mini-agent/describe perl-base
COPY --from=base /opt/mini-agent/runner /opt/mini-agent/runner
"""


def add_language(folder: Path) -> Mapping[str, str]:
    """Adds Perl to the table of a copy in `folder`; variables with which Python finds the copy."""
    protocol = folder / "protocol"
    shutil.copytree(ROOT / "protocol" / "mini_agent_protocol", protocol / "mini_agent_protocol")
    table = protocol / "mini_agent_protocol" / "languages.py"
    before, found, after = table.read_text().partition("\n)\n\nif TYPE_CHECKING:")
    assert found, "the table of languages ends otherwise"
    table.write_text(before + ENTRY.rstrip() + found + after)
    _add_image(folder)
    path = os.pathsep.join([str(protocol), *filter(None, [os.environ.get("PYTHONPATH")])])
    return MappingProxyType({"PYTHONPATH": path})


def name_language(folder: Path) -> Mapping[str, str]:
    """Adds Perl as an operator does, without touching code; the variable that is set then."""
    _add_image(folder)
    shutil.copytree(ROOT / "protocol", folder / "protocol")
    path = folder / "languages.toml"
    path.write_text(FILE)
    return MappingProxyType({"SANDBOX_LANGUAGES_FILE": str(path)})


def _add_image(folder: Path) -> None:
    shutil.copytree(ROOT / "sandbox-images", folder / "sandbox-images")
    image = folder / "sandbox-images" / "perl"
    image.mkdir()
    (image / "Dockerfile").write_text(DOCKERFILE)
