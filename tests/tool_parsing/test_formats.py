"""Every vendor's form of a call is read, with every program, among whatever words."""

from __future__ import annotations

import pytest

from tests.behaviours.formats import CALL_FORMATS, CONTEXTS, format_call
from tests.behaviours.programs import GO, LOOP, NODE, PRODUCT, RLE, RUNS, RUST, SHELL, program_key
from tests.tool_parsing.parsed_reply import parse_outcome, text_reply

PROGRAMS = (RLE, PRODUCT, LOOP, SHELL, NODE, GO, RUST, RUNS)
# Where input ends that is no program and that nothing closes, nobody can say.
OPEN_ENDED = {("ReAct, raw input", "compress_runs")}


@pytest.mark.parametrize("form", CALL_FORMATS)
def test_the_call_in_it_is_found_and_no_other(form: str) -> None:
    for program in PROGRAMS:
        if (form, program.tool) in OPEN_ENDED:
            continue
        for around in CONTEXTS.values():
            text = around.replace("{}", format_call(CALL_FORMATS[form], program))
            run = parse_outcome(text_reply(text)).run
            assert [program_key(name, *map(str, given.values())) for name, given in run] == [
                program.key
            ]
