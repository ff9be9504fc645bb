"""The package's public names, their documentation, and the earlier names that still work."""

from __future__ import annotations

import re

import pytest

import mini_agent
from tests.house.test_files import ROOT

FIRST_CELL = re.compile(r"^\| (`\w+`(?:, `\w+`)*) \|", re.MULTILINE)
EARLIER_NAMES = {
    "ApprovedInvoker": "ApprovalInvoker",
    "JoinedInvoker": "CombinedInvoker",
    "NamespacedInvoker": "PrefixedInvoker",
    "TimedInvoker": "TimeoutInvoker",
}


def documented_names() -> list[str]:
    page = (ROOT / "docs" / "api.md").read_text()
    return [name for cell in FIRST_CELL.findall(page) for name in re.findall(r"`(\w+)`", cell)]


def test_every_public_name_is_documented_once_and_no_other() -> None:
    assert sorted(documented_names()) == sorted(mini_agent.__all__)


@pytest.mark.parametrize("name", mini_agent.__all__)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(mini_agent, name) is not None


@pytest.mark.parametrize(("earlier", "name"), EARLIER_NAMES.items())
def test_an_earlier_name_is_the_same_object(earlier: str, name: str) -> None:
    assert getattr(mini_agent, earlier) is getattr(mini_agent, name)


def test_a_name_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        getattr(mini_agent, "Missing")  # noqa: B009  the attribute does not exist for types
