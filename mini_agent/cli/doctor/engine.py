"""Checks of the Docker Engine: command, Compose, limits, disk, images."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mini_agent.cli.doctor.check import (
    Check,
    DoctorContext,
    fail,
    ok,
    skipped,
    warn,
)
from mini_agent.cli.doctor.docker import CommandResult, read_engine_facts
from mini_agent_protocol.languages import REGISTRY

# The folders of the images, each once: two languages may share one.
LANGUAGES: Final = tuple(dict.fromkeys(spec.image for spec in REGISTRY))
REQUIRED: Final = frozenset(spec.image for spec in REGISTRY if not spec.optional)
SERVICES: Final = ("mini-agent/shim:local", "mini-agent/codex-agent:local")
# What an engine says, and what an image is labelled with.
ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}


async def check_images(context: DoctorContext) -> Sequence[Check]:
    """Check that the images exist, for this machine's architecture."""
    wanted = [build_image_name(context, language) for language in LANGUAGES]
    there = await _list_present(context, [*wanted, *SERVICES])
    return [_check_sandbox_images(context, wanted, there), _check_service_images(there)]


async def find_python_image(context: DoctorContext) -> str | None:
    """Find a sandbox image that exists; each of them has Python, for its runner."""
    wanted = [build_image_name(context, language) for language in LANGUAGES]
    there = await _list_present(context, wanted)
    return next((image for image in wanted if image in there), None)


def build_image_name(context: DoctorContext, language: str) -> str:
    """Build the name of the image in which programs of a language run."""
    prefix = context.variable("SANDBOX_IMAGE_PREFIX", "mini-agent/sandbox-")
    return f"{prefix}{language}:{context.variable('SANDBOX_IMAGE_TAG', 'local')}"


def _check_sandbox_images(
    context: DoctorContext, wanted: list[str], there: dict[str, str]
) -> Check:
    missing = {_folder(image): image for image in wanted if image not in there}
    if missing:
        state = warn if REQUIRED.isdisjoint(missing) else fail
        fix = f"sandbox-images/build {' '.join(missing)}, or: make images"
        return state("sandbox images", f"not built: {', '.join(missing.values())}", fix)
    own = ARCHITECTURES.get(context.engine.architecture if context.engine else "", "")
    foreign = [image for image in wanted if own and there[image] != own]
    if foreign:
        detail = f"for another processor than {own}: {', '.join(foreign)}"
        return fail("sandbox images", detail, "make images")
    return ok("sandbox images", f"{', '.join(LANGUAGES)}")


def _folder(image: str) -> str:
    return image.rpartition(":")[0].rpartition("-")[2]


def _check_service_images(there: dict[str, str]) -> Check:
    missing = [image for image in SERVICES if image not in there]
    if missing:
        return warn("service images", f"not built: {', '.join(missing)}", "make up builds them")
    return ok("service images", ", ".join(SERVICES))


async def _list_present(context: DoctorContext, wanted: list[str]) -> dict[str, str]:
    shape = '{{join .RepoTags " "}} {{.Architecture}}'
    # It tells of those it finds, and complains of the others.
    said = await context.docker.run("image", "inspect", "--format", shape, *wanted)
    found: dict[str, str] = {}
    for line in said.out.splitlines():
        *tags, architecture = line.split()
        found |= dict.fromkeys(tags, architecture)
    return {image: found[image] for image in wanted if image in found}


GIB: Final = 1 << 30
MIN_FREE_BYTES: Final = 2 * GIB
INSTALL_FIX: Final = (
    "sudo apt-get install docker.io (Debian, Ubuntu), or https://docs.docker.com/engine/install/"
)
MIN_COMPOSE_VERSION: Final = (2, 24, 4)
COMPOSE_FIX: Final = (
    "sudo apt-get install docker-compose-v2 (Ubuntu) or docker-compose-plugin (Docker's packages), "
    "or https://docs.docker.com/compose/install/"
)
ENGINE_FIXES: Final = (
    (
        "permission denied",
        "sudo usermod -aG docker $USER, then log in again (it is as good as root)",
    ),
    ("context not found", "docker context ls shows those there are; docker context use default"),
    ("certificate", "see DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"),
)
START_FIX: Final = "sudo systemctl start docker; on a desktop, start Docker Desktop"
DOCKER_HOST_FIX: Final = "unset DOCKER_HOST, or start the engine that it names"
LIMITS_PROGRAM: Final = Path(__file__).with_name("limits_program.py")
EXPECTED_LIMITS: Final = ("memory", "processes", "cpu")


async def check_engine(context: DoctorContext) -> Sequence[Check]:
    """Check that an engine responds."""
    facts = context.engine
    if context.docker.path is None:
        return [fail("engine", "there is no docker command", INSTALL_FIX)]
    if facts is None:
        _, said = await read_engine_facts(context.docker)
        why = said.why or "it does not answer"
        return [fail("engine", why, _find_fix(said, context))]
    rootless = ", rootless" if facts.is_rootless else ""
    return [
        ok(
            "engine",
            f"Docker {facts.version}, cgroup v{facts.cgroup}, {facts.runtime}{rootless}, "
            f"{facts.cpus} CPUs, {facts.memory / GIB:.1f} GiB",
        )
    ]


async def check_compose(context: DoctorContext) -> Sequence[Check]:
    """Check that Compose is installed and new enough for the stack's files."""
    said = await context.docker.run("compose", "version", "--short")
    if not said.ok:
        return [fail("compose", "docker has no compose command", COMPOSE_FIX)]
    version = said.out.strip()
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if numbers < MIN_COMPOSE_VERSION:
        least = ".".join(map(str, MIN_COMPOSE_VERSION))
        return [fail("compose", f"{version}; the stack's files need {least}", COMPOSE_FIX)]
    return [ok("compose", version)]


async def check_limits(context: DoctorContext) -> Sequence[Check]:
    """Check in a container that memory, processes and CPU time are really limited."""
    image = await find_python_image(context)
    if image is None:
        return [skipped("limits", "no sandbox image to try them in", "make images")]
    said = await context.docker.run(
        *("run", "--rm", "-i", "--pull", "never", "--network", "none", "--user", "100001:100001"),
        *("--memory", "96m", "--memory-swap", "96m", "--pids-limit", "24", "--cpus", "0.5"),
        *("--entrypoint", "python3", image, "-I", "-c", LIMITS_PROGRAM.read_text()),
        timeout_s=60,
    )
    held = said.out.split()
    missing = [name for name in EXPECTED_LIMITS if name not in held]
    if not missing:
        return [ok("limits", f"of {', '.join(EXPECTED_LIMITS)} hold")]
    told = "; ".join((context.engine and context.engine.warnings) or ())
    detail = f"not bounded: {', '.join(missing)}{f' ({told})' if told else ''}"
    if not said.ok and not held:
        detail = f"they could not be tried: {said.why}"
    return [fail("limits", detail, "use an engine with cgroup v2, or one that runs as root")]


async def check_disk(context: DoctorContext) -> Sequence[Check]:
    """Check the free disk space of the engine."""
    root = context.engine.root if context.engine else ""
    try:
        free = shutil.disk_usage(root).free
    except OSError:
        return [skipped("disk", "the engine's folder is not on this machine")]
    detail = f"{free / GIB:.1f} GiB free for {root}"
    if free < MIN_FREE_BYTES:
        return [warn("disk", detail, "docker system prune frees what nothing uses")]
    return [ok("disk", detail)]


def _find_fix(said: CommandResult, context: DoctorContext) -> str:
    told = said.err.lower()
    for word, fix in ENGINE_FIXES:
        if word in told:
            return fix
    return DOCKER_HOST_FIX if context.variables.get("DOCKER_HOST") else START_FIX
