"""What becomes of changes that a command made in the sandbox: applied, refused, or kept."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, TypeAlias

from pydantic import ValidationError

from mini_agent.coding.permissions.matching import concerns, is_covered
from mini_agent.coding.permissions.policy import Ask, ChangeApprover, PermissionPolicy
from mini_agent.coding.permissions.request import PermissionRequest, parse_request
from mini_agent.coding.permissions.rules import Rule
from mini_agent.coding.sandbox.apply import apply_entries, find_flaw
from mini_agent.coding.sandbox.entries import Entry
from mini_agent.coding.sandbox.patch import FileChange, format_patch, format_summary
from mini_agent.coding.sandbox.project import FileStamp
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import RejectedCall

EDIT_RULE: Final = Rule("Edit")
MAX_SHOWN_CHARS: Final = 200_000
QUESTION: Final = "The command changed {count} in the sandbox. Apply this to the project?"
STARTUP_QUESTION: Final = (
    "The command also changed files that start commands or say which may start: {names}. "
    "Apply this to the project?"
)

Decision: TypeAlias = Literal["apply", "ask", "ask_by_name", "refuse"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the changes, by path; `refused` says why, `pending` wait for approval."""

    applied: tuple[str, ...] = ()
    pending: tuple[Entry, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


@dataclass
class ChangeReview:
    """Decides by the rules and the mode, then by the user; without a user, changes wait.

    `warn` gets what the user has to know, `patches` is the folder of the patch that holds what is
    not applied.
    """

    permissions: PermissionPolicy
    approver: ChangeApprover
    warn: Callable[[str], None]
    patches: Path
    _pending_patch: Path | None = None

    async def review(
        self,
        root: Path,
        changes: Sequence[FileChange],
        expected: Callable[[str], FileStamp | None],
    ) -> Outcome:
        """Apply what may be applied; `expected` is how a path was when it was copied."""
        by_decision: dict[Decision, list[FileChange]] = {}
        refused: list[tuple[str, str]] = []
        for change in changes:
            decision, why = self._decide(root, change)
            by_decision.setdefault(decision, []).append(change)
            refused += [(change.path, why)] if why else []
        approved, waiting = by_decision.get("apply", []), list[FileChange]()
        for asked, question in self._questions(by_decision):
            if not self.approver.can_ask:
                waiting += asked
                continue
            objection = await self._ask(question, asked)
            if objection:
                refused += [(change.path, objection) for change in asked]
            else:
                approved += asked
        written = await asyncio.to_thread(self._apply, root, approved, expected)
        refused += [(path, why) for path, why in written if why]
        pending = tuple(change.after for change in waiting)
        return Outcome(tuple(path for path, why in written if not why), pending, tuple(refused))

    def keep(self, changes: Iterable[FileChange]) -> Path | None:
        """Write the changes to a patch of their own; return its path, None where there is none."""
        name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{secrets.token_hex(4)}.patch"  # noqa: DTZ005
        return self._write(self.patches / name, changes)

    def keep_pending(self, changes: Iterable[FileChange]) -> Path | None:
        """Write all that waits to the session's patch, in the place of what waited before."""
        if self._pending_patch is None:
            self._pending_patch = self.keep(changes)
            return self._pending_patch
        return self._write(self._pending_patch, changes)

    def _write(self, path: Path, changes: Iterable[FileChange]) -> Path | None:
        patch = format_patch(changes)
        if not patch:
            return None
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(patch)
        return path

    def _questions(
        self, by_decision: dict[Decision, list[FileChange]]
    ) -> list[tuple[list[FileChange], str]]:
        plain, named = by_decision.get("ask", []), by_decision.get("ask_by_name", [])
        count = "1 file" if len(plain) == 1 else f"{len(plain)} files"
        names = ", ".join(change.path for change in named)
        questions = (
            (plain, QUESTION.format(count=count)),
            (named, STARTUP_QUESTION.format(names=names)),
        )
        return [each for each in questions if each[0]]

    async def _ask(self, question: str, changes: Sequence[FileChange]) -> str:
        diff = format_patch(changes).decode("utf-8", "replace")
        if len(diff) > MAX_SHOWN_CHARS:
            diff = f"{diff[:MAX_SHOWN_CHARS]}\n... the whole diff is in {self.keep(changes)}"
        text = f"{format_summary(changes)}\n{diff}"
        return await self.approver.request(Ask(question, text, EDIT_RULE))

    def _decide(self, root: Path, change: FileChange) -> tuple[Decision, str]:
        flaw = find_flaw(change.after)
        if flaw:
            return "refuse", flaw
        try:
            arguments: JsonObject = {"file_path": str(root / change.path), "content": ""}
            request = parse_request("Write", arguments, self.permissions.context)
        except (ValidationError, RejectedCall):
            return "refuse", "no path that the tools could name"
        refusal = self._find_refusal(request)
        return ("refuse", refusal) if refusal else (self._decide_request(request, change), "")

    def _find_refusal(self, request: PermissionRequest) -> str:
        policy = self.permissions
        denied = next((rule for rule in policy.rules.deny if concerns(rule, request)), None)
        if denied is not None:
            return f"denied by the rule {denied}"
        if policy.mode == "plan":
            return "nothing is changed in plan mode"
        is_inside = all(map(policy.context.contains, request.paths))
        return "" if is_inside else "it leads out of the project"

    def _decide_request(self, request: PermissionRequest, change: FileChange) -> Decision:
        policy = self.permissions
        if request.startup_names:
            return "ask_by_name"
        if any(concerns(rule, request) for rule in policy.rules.ask):
            return "ask"
        # No tool for edits deletes a file.
        is_edit = policy.mode == "acceptEdits" and change.after.kind != "gone"
        if policy.mode == "bypassPermissions" or is_edit:
            return "apply"
        return "apply" if is_covered(policy.rules.allow, request) else "ask"

    def _apply(
        self,
        root: Path,
        changes: Sequence[FileChange],
        expected: Callable[[str], FileStamp | None],
    ) -> list[tuple[str, str]]:
        entries = [change.after for change in changes]
        return [(entry.path, why) for entry, why in apply_entries(root, entries, expected)]
