"""Parameters of OpenAI's API: which reach the model, which have no effect, and which are refused.

The provider and the shim's `/v1` read the same table, so that each parameter means the same at
every door.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from mini_agent.errors import BadRequest

# Passed to the model server with every call of the run, as they are.
MODEL_PARAMETERS: Final = (
    "top_p",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
    "reasoning_effort",
    "thinking",
    "verbosity",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repetition_penalty",
    "keep_alive",
    "extra_headers",
)
# Notes of a client for OpenAI's own service; a run is the same without them.
UNUSED_PARAMETERS: Final = (
    "user",
    "metadata",
    "store",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "include",
    "truncation",
    "client_metadata",
)
# Refused, unless the value says what happens anyway.
REFUSED_PARAMETERS: Final[Mapping[str, tuple[object, ...]]] = {
    "n": (1,),
    "best_of": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "background": (False,),
    "conversation": (),
    "prompt": (),
    "max_tool_calls": (),
    "suffix": ("",),
    "echo": (False,),
}
CLOSE_MATCH: Final = 0.75


def refuse_unsupported(parameters: Mapping[str, object]) -> None:
    """Raise `BadRequest` for the first parameter that asks for what a run cannot do."""
    for name, harmless in REFUSED_PARAMETERS.items():
        value = parameters.get(name)
        if value is not None and value not in harmless:
            raise BadRequest(f"{name} is not available here", field=name, hint=f"leave {name} out")


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise `BadRequest` for the first of `names` that is neither in `known` nor in the table."""
    all_known = {*known, *MODEL_PARAMETERS, *UNUSED_PARAMETERS, *REFUSED_PARAMETERS}
    for name in names:
        if name not in all_known:
            raise BadRequest(
                f"there is no parameter {name!r:.80}",
                field=name[:80],
                hint=_suggest(name, all_known),
            )


def find_unused(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the parameters that were given and have no effect."""
    return tuple(name for name in UNUSED_PARAMETERS if parameters.get(name) is not None)


def _suggest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1, cutoff=CLOSE_MATCH)
    return f"did you mean {near[0]}?" if near else "leave it out"
