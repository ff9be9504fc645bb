"""Every vendor's form of a call is read, with every program, among whatever words."""

from __future__ import annotations

import pytest

from tests.behaviours.formats import AROUND, SPOKEN, written
from tests.behaviours.programs import GO, LOOP, NODE, PRODUCT, RLE, RUNS, RUST, SHELL, key_of
from tests.tool_parsing.reading import outcome, says

PROGRAMS = (RLE, PRODUCT, LOOP, SHELL, NODE, GO, RUST, RUNS)
# Where input ends that is no program and that nothing closes, nobody can say.
OPEN_ENDED = {("ReAct, raw input", "compress_runs")}


@pytest.mark.parametrize("form", SPOKEN)
def test_the_call_in_it_is_found_and_no_other(form: str) -> None:
    for program in PROGRAMS:
        if (form, program.tool) in OPEN_ENDED:
            continue
        for around in AROUND.values():
            text = around.replace("{}", written(SPOKEN[form], program))
            run = outcome(says(text)).run
            assert [key_of(name, *map(str, given.values())) for name, given in run] == [program.key]
