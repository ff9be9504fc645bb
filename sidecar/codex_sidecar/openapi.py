"""The description of the API, with the snippet, whose body the routes read for themselves."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import JsonValue
from pydantic.json_schema import models_json_schema

from mini_agent.sandbox import Snippet

_COMPONENTS: Final = "#/components/schemas/"

SNIPPET_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"{_COMPONENTS}Snippet"}}},
    }
}


def describe(app: FastAPI) -> dict[str, JsonValue]:
    """The OpenAPI document."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    _, snippet = models_json_schema([(Snippet, "validation")], ref_template=_COMPONENTS + "{model}")
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(snippet["$defs"])
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"token": []}]
    return document
