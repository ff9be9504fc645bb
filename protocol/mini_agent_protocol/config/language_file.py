"""The operator's own languages: a TOML file, one table for each, read where a process starts.

    [perl]
    title = "Perl"
    image = "perl"
    program = "main.pl"
    start = ["perl"]

The rest is optional: `aliases`, `commands`, `compile`, `warm`, `tool`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from mini_agent_protocol.errors import BadRequest

# The variable that names the file.
VARIABLE: Final = "SANDBOX_LANGUAGES_FILE"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
# The part of an image's name that follows the operator's prefix: no registry and no tag.
Image = Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$", max_length=64)]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$", max_length=64)]
Words = tuple[Annotated[str, Field(min_length=1)], ...]


class LanguageEntry(BaseModel):
    """One table of the file; the fields are those of `LanguageSpec`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Annotated[str, Field(min_length=1, max_length=64)]
    image: Image
    program: FileName
    start: Annotated[Words, Field(min_length=1)]
    aliases: tuple[Name, ...] = ()
    commands: Words = ()
    compile: Words = ()
    warm: Annotated[int, Field(ge=0, le=256)] = 1
    tool: Annotated[str, Field(pattern=r"^([a-z][a-z0-9_]{0,63})?$")] = ""


_FILE: Final = TypeAdapter(dict[Name, LanguageEntry])


def read_language_file(path: Path) -> dict[str, LanguageEntry]:
    """Read the languages of a file by name.

    Raises `BadRequest`, which names the file and what to change in it.
    """
    try:
        return _FILE.validate_python(tomllib.loads(path.read_text("utf-8-sig")))
    except OSError as error:
        raise _wrong(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise _wrong(path, _describe(error)) from error
    except ValueError as error:
        raise _wrong(path, f"is no TOML: {error}") from error


def _describe(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in first["loc"] if part != "[key]")
    return f"{place or 'the file'}: {first['msg']}"


def _wrong(path: Path, why: str) -> BadRequest:
    hint = "docs/packages.md says what a language needs"
    return BadRequest(f"{VARIABLE}={path}: {why}", field=VARIABLE, hint=hint)
