"""Every field of a pydantic model says what it means, so that OpenAPI and editors can show it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Final

import pytest
from pydantic import BaseModel, Field, RootModel

PACKAGES: Final = ("mini_agent", "mini_agent_shim", "codex_sidecar")


def modules_of(package: str) -> Iterator[str]:
    yield package
    for found in walk_packages(import_module(package).__path__, f"{package}."):
        # Importing these runs the program.
        if found.name.rpartition(".")[2] != "__main__":
            yield found.name


def models_below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from models_below(each)


def models_of(package: str) -> set[type[BaseModel]]:
    """Imports all of a package; its models, but those whose one field has no name."""
    for module in modules_of(package):
        import_module(module)
    ours = {each for each in models_below(BaseModel) if each.__module__.split(".")[0] == package}
    return {each for each in ours if not issubclass(each, RootModel)}


def undescribed(model: type[BaseModel]) -> list[str]:
    named = f"{model.__module__}.{model.__qualname__}"
    fields = model.model_fields.items()
    return [f"{named}.{name}" for name, field in fields if not (field.description or "").strip()]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_field_of_every_model_has_a_description(package: str) -> None:
    silent = [field for model in models_of(package) for field in undescribed(model)]
    assert sorted(silent) == []


@pytest.mark.parametrize(
    ("package", "model"),
    [
        ("mini_agent", "mini_agent.config.AgentConfig"),
        ("mini_agent_shim", "mini_agent_shim.settings.ShimSettings"),
        ("codex_sidecar", "codex_sidecar.settings.Settings"),
    ],
)
def test_the_models_of_a_package_are_found(package: str, model: str) -> None:
    assert model in {f"{each.__module__}.{each.__qualname__}" for each in models_of(package)}


def test_a_field_without_a_description_is_named() -> None:
    class Told(BaseModel):
        known: int = Field(description="A number.")
        silent: int = 0
        blank: int = Field(default=0, description=" ")

    named = f"{__name__}.{Told.__qualname__}"
    assert undescribed(Told) == [f"{named}.silent", f"{named}.blank"]
