"""The images: one for each language, and those of the two services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mini_agent.cli.doctor.check import (
    Around,
    Check,
    fail,
    ok,
    warn,
)

LANGUAGES: Final = ("python", "node", "go", "rust", "shell")
SERVICES: Final = ("mini-agent/shim:local", "mini-agent/codex-agent:local")
# What an engine says, and what an image is labelled with.
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


async def images(around: Around) -> Sequence[Check]:
    """Whether they are there, for this machine's processor."""
    wanted = [sandbox_image(around, language) for language in LANGUAGES]
    there = await _there(around, [*wanted, *SERVICES])
    return [_sandboxes(around, wanted, there), _services(there)]


async def some_image_with_python(around: Around) -> str | None:
    """One that is there, to try things in; every sandbox image has Python, for its runner."""
    wanted = [sandbox_image(around, language) for language in LANGUAGES]
    there = await _there(around, wanted)
    return next((image for image in wanted if image in there), None)


def sandbox_image(around: Around, language: str) -> str:
    """The image in which programs of this language run."""
    prefix = around.named("SANDBOX_IMAGE_PREFIX", "mini-agent/sandbox-")
    return f"{prefix}{language}:{around.named('SANDBOX_IMAGE_TAG', 'local')}"


def _sandboxes(around: Around, wanted: list[str], there: dict[str, str]) -> Check:
    missing = [image for image in wanted if image not in there]
    if missing:
        languages = " ".join(image.rpartition("-")[2].partition(":")[0] for image in missing)
        detail = f"not built: {', '.join(missing)}"
        return fail("sandbox images", detail, f"sandbox-images/build {languages}, or: make images")
    own = ARCHITECTURES.get(around.engine.architecture if around.engine else "", "")
    foreign = [image for image in wanted if own and there[image] != own]
    if foreign:
        detail = f"for another processor than {own}: {', '.join(foreign)}"
        return fail("sandbox images", detail, "make images")
    return ok("sandbox images", f"{', '.join(LANGUAGES)}")


def _services(there: dict[str, str]) -> Check:
    missing = [image for image in SERVICES if image not in there]
    if missing:
        return warn("service images", f"not built: {', '.join(missing)}", "make up builds them")
    return ok("service images", ", ".join(SERVICES))


async def _there(around: Around, wanted: list[str]) -> dict[str, str]:
    shape = '{{join .RepoTags " "}} {{.Architecture}}'
    # It tells of those it finds, and complains of the others.
    said = await around.docker.said("image", "inspect", "--format", shape, *wanted)
    found: dict[str, str] = {}
    for line in said.out.splitlines():
        *tags, architecture = line.split()
        found |= dict.fromkeys(tags, architecture)
    return {image: found[image] for image in wanted if image in found}
