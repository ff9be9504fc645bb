"""Trains the network from scratch on one CPU core, and writes checkpoints and the GGUF."""

import argparse
import random
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from train.batches import batches, pack
from train.dialogues import OTHER, TASKS, random_dialogue, to_row
from train.gguf_file import write_gguf
from train.network import Llama

_WARM_UP: Final = 60
_RATE: Final = 3e-3
_LOG_EVERY: Final = 25
_CHECK_EVERY: Final = 200


def _optimizers(model: Llama) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices and AdamW for the embeddings and norms."""
    matrices = [p for block in model.blk for p in block.parameters() if p.dim() > 1]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(
        matrices, lr=_RATE, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    return [muon, torch.optim.AdamW(others, lr=_RATE, betas=(0.9, 0.95), weight_decay=0.0)]


def _rate(step: int, steps: int, decay_steps: int) -> float:
    """Return the learning rate: a short rise, a plateau, a straight line down to zero."""
    left = (steps - step + 1) / decay_steps
    return _RATE * min(1.0, step / _WARM_UP, left)


def _learn(
    model: Llama, optimizers: list[torch.optim.Optimizer], batch: tuple[Tensor, Tensor], rate: float
) -> float:
    ids, written = batch
    asked = written[:, 1:]
    scores = model.scores(model(ids[:, :-1])[asked])
    loss = F.cross_entropy(scores, ids[:, 1:][asked])
    model.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracy(model: Llama, per_task: int, seed: int = 10**6) -> dict[str, tuple[int, int]]:
    """Return how many held-out texts are right in full, by task and kind."""
    rng = random.Random(seed)
    kinds = [kind for kind in (*TASKS, OTHER) for _ in range(per_task)]
    rows = [to_row(random_dialogue(rng, held_out=True, task=kind)) for kind in kinds]
    rows.sort(key=lambda row: len(row.ids))
    marks: dict[str, list[bool]] = defaultdict(list)
    for start in range(0, len(rows), 40):
        chunk = rows[start : start + 40]
        ids, _ = pack(chunk)
        right = model.scores(model(ids[:, :-1])).argmax(-1) == ids[:, 1:]
        for index, row in enumerate(chunk):
            for label, first, end in row.written:
                marks[label].append(bool(right[index, first - 1 : end - 1].all()))
    return {label: (sum(hits), len(hits)) for label, hits in sorted(marks.items())}


def _report(model: Llama, per_task: int) -> str:
    counts = accuracy(model, per_task)
    right, asked = (sum(column) for column in zip(*counts.values(), strict=True))
    table = ", ".join(f"{label} {hits}/{total}" for label, (hits, total) in counts.items())
    return f"held out: {right / asked:.2%} ({table})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", type=Path, default=Path("tiny-agent.gguf"))
    parser.add_argument("--checkpoint", type=Path, required=True, help="written and resumed from")
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument("--decay-steps", type=int, default=1800)
    parser.add_argument("--tokens", type=int, default=5000, help="tokens of a batch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _save(path: Path, step: int, model: Llama, optimizers: list[torch.optim.Optimizer]) -> None:
    states = [optimizer.state_dict() for optimizer in optimizers]
    partial = path.with_suffix(".partial")
    torch.save({"step": step, "model": model.state_dict(), "optimizers": states}, partial)
    partial.replace(path)


def _load(path: Path, model: Llama, optimizers: list[torch.optim.Optimizer]) -> int:
    if not path.exists():
        return 0
    saved: dict[str, Any] = torch.load(path)
    model.load_state_dict(saved["model"])
    for optimizer, state in zip(optimizers, saved["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    return int(saved["step"])


def _fit(options: argparse.Namespace, model: Llama) -> None:
    optimizers = _optimizers(model)
    done = _load(options.checkpoint, model, optimizers)
    data = batches(random.Random(options.seed + done), options.tokens, done)
    start, losses = time.monotonic(), []
    for step in range(done + 1, options.steps + 1):
        rate = _rate(step, options.steps, options.decay_steps)
        losses.append(_learn(model, optimizers, next(data), rate))
        if step % _LOG_EVERY == 0:
            spent = time.monotonic() - start
            print(
                f"step {step} loss {sum(losses) / len(losses):.4f} after {spent:.0f} s", flush=True
            )
            losses.clear()
        if step % _CHECK_EVERY == 0 or step == options.steps:
            _save(options.checkpoint, step, model, optimizers)
            print(_report(model, 40), flush=True)


def main() -> None:
    """Train as far as asked, then measure and export."""
    options = _options()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    model = Llama()
    _fit(options, model)
    print(_report(model, 400), flush=True)
    write_gguf(model, options.gguf)


if __name__ == "__main__":
    main()
