"""Every case, asked of a real sidecar over HTTP."""

from __future__ import annotations

import pytest

from tests.cases.case import Suite
from tests.cases.court import Court
from tests.cases.more import more_suites
from tests.cases.own import own_suites

pytestmark = [pytest.mark.docker, pytest.mark.timeout(500)]


def named(suite: Suite) -> str:
    return suite.name


@pytest.mark.parametrize(
    "suite", [*own_suites("abuse"), *own_suites("programs"), *more_suites()], ids=named
)
async def test_every_case_ends_as_it_should(court: Court, suite: Suite) -> None:
    found = await court.judge(suite.cases)
    assert {each.case.id: each.faults for each in found if each.faults} == {}
