"""Rules add up over a line: each part is allowed by one of them, or needs none."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.coding.permissions.policy import Allow, Ask, Deny, PermissionPolicy
from mini_agent.coding.tools.context import ToolContext
from tests.coding.permissions.conftest import parse_rules

ALLOW = ("Bash(git *)", "Bash(npm test *)", "Bash(ls *)", "Bash(make lint)", "Bash(wc *)")


@pytest.fixture
def permissions(context: ToolContext) -> PermissionPolicy:
    rules = parse_rules(deny=["Bash(git push *)"], ask=["Bash(git tag *)"], allow=ALLOW)
    return PermissionPolicy(context, rules)


@pytest.fixture
def project(project: Path) -> Path:
    (project / "src" / "deep").mkdir()
    (project / "out").symlink_to("/etc")
    return project


@pytest.mark.parametrize(
    "line",
    [
        "git add . && npm test",
        "git status; ls; make lint",
        "git log | wc -l",
        "git log |& wc -l",
        "git diff || ls",
        "git status\nls\n\nnpm test -- -x",
        "(git status; ls)",
        "(cd src && ls) && git status",
        "{ git status; ls; }",
        "! git diff --quiet",
        "if git diff --quiet; then ls; elif make lint; then npm test; else git status; fi",
        "for f in a b; do git log $f; done",
        'for f in src/*.py; do wc -l "$f"; done',
        "while ! make lint; do sleep 1; done",
        "until make lint; do git status; done",
        "cd src && ls && cd deep && git status",
        "cd src; cd ..; git status",
        'cd "src" && git status',
        "echo start; git status; echo end",
        "printf '%s\\n' x && pwd && true && git status",
        "test -f src/a.py && git status",
        "[ -d src ] && git status",
        "[[ -d src && 1 -lt 2 ]] && git status",
        "git log | head -5 | tail -n 2 | sort | uniq -c | sort -rn",
        "git log --oneline | grep -i fix | cut -d ' ' -f 1 | tr a-z A-Z",
        "git status 2>&1 | cat",
        "ls > /dev/null 2>&1 && git status",
        "n=3; git log -$n",
        "name=src; ls $name && git status",
        "LC_ALL=C ls; git status",
        "time git status && nice -n 5 npm test",
        "git status & wait",
        "command -v git && git status",
        "exit 0; git status",
        "echo done",
        "pwd",
    ],
)
def test_a_line_is_allowed_when_each_of_its_parts_is(
    permissions: PermissionPolicy, line: str
) -> None:
    assert permissions.decide("Bash", {"command": line}) == Allow()


@pytest.mark.parametrize(
    "line",
    [
        "git add . && touch x",
        "touch x; git status",
        "git log | tee x",
        "git log | sh",
        "git log | xargs touch",
        "(git status; touch x)",
        "{ git status; touch x; }",
        "! touch x",
        "if touch x; then git status; fi",
        "if git status; then touch x; fi",
        "if git status; then ls; else touch x; fi",
        "for f in a; do touch $f; done",
        "for f in $(touch x); do git log; done",
        "for PATH in .; do git log; done",
        "while touch x; do git status; done",
        "while git status; do touch x; done",
        "case a in a) git status;; esac",
        "select x in a; do git status; done",
        "for ((;;)); do git status; done",
        "git status\ntouch x",
        "git status & touch x",
        "git() { touch x; }; git status",
        "cd .. && git status",
        "cd out && ls",
        "cd /etc && ls",
        "cd - && ls",
        "cd $X && ls",
        "cd src && cd ../.. && ls",
        "cd src || cd deep; cd ..; ls",
        "cd nowhere && ls",
        "pushd src && ls",
        "echo $OPENAI_API_KEY",
        "git status > x",
        "echo x > x; git status",
        "git status < /etc/passwd",
        "git log | cat src/a.py",
        "git log | head src/a.py",
        "git log | grep -r x .",
        "git log | grep -f x y",
        "git log | sort -o x",
        "git log | sort --output=x",
        "git log | tail -f",
        "ls $(touch x)",
        "ls `touch x`",
        "ls <(touch x)",
        "X=1; ls",
        "home=x; HOME=y; ls",
        "ls; export X=1",
        "make lint x",
        "make lint && make test",
        "[[ -v a[$(touch x)] ]] && ls",
        "test -v 'a[$(touch x)]' && ls",
        "printf -v x y && ls",
        "git tag x",
        "ls && git tag x",
        "ls && git status # x",
    ],
)
def test_a_line_with_a_part_that_is_not_allowed_is_asked_for(
    permissions: PermissionPolicy, line: str
) -> None:
    assert isinstance(permissions.decide("Bash", {"command": line}), Ask)


@pytest.mark.parametrize(
    "line",
    [
        "git push",
        "ls && git push",
        "git push; ls",
        "ls | git push",
        "(ls; git push)",
        "! git push",
        "if ls; then git push; fi",
        "for f in a; do git push $f; done",
        "ls\ngit push",
        "git tag x && git push",
        "cd src && git push",
        "time git push",
    ],
)
def test_a_part_that_is_denied_denies_the_line(permissions: PermissionPolicy, line: str) -> None:
    assert isinstance(permissions.decide("Bash", {"command": line}), Deny)


def test_moving_alone_is_asked_for(permissions: PermissionPolicy) -> None:
    assert isinstance(permissions.decide("Bash", {"command": "cd src"}), Ask)


def test_moving_alone_is_allowed_by_a_rule_for_it(context: ToolContext) -> None:
    moving = PermissionPolicy(context, parse_rules(allow=["Bash(cd *)"]))
    assert moving.decide("Bash", {"command": "cd src"}) == Allow()
    assert isinstance(moving.decide("Bash", {"command": "cd /etc"}), Ask)


def test_what_was_approved_counts_as_a_part(context: ToolContext) -> None:
    permissions = PermissionPolicy(context)
    for line in ("git commit -m 'a b'", "make test"):
        asked = permissions.decide("Bash", {"command": line})
        assert isinstance(asked, Ask)
        permissions.remember(asked.suggested_rule)
    both = 'git commit -m "a b" && make test'
    assert permissions.decide("Bash", {"command": both}) == Allow()
    other = 'git commit -m "a c" && make test'
    assert isinstance(permissions.decide("Bash", {"command": other}), Ask)
