"""The network: a small llama (RMSNorm, RoPE on interleaved pairs, SwiGLU, tied embeddings)."""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from train.vocabulary import LONGEST_RUN, RUNS, SINGLES


@dataclass(frozen=True)
class Shape:
    """The sizes of the network; GGUF needs each of them."""

    layers: int = 4
    width: int = 128
    heads: int = 6
    head_size: int = 32
    hidden: int = 160
    context: int = 4096
    epsilon: float = 1e-5
    rope_base: float = 10_000.0


SHAPE: Final = Shape()
# Which heads start as "look this many tokens back", layer by layer; the others start at random.
_LOOK_BACK: Final = ((1, 2, 3, 4, 5), (6,))
_STILL: Final = 1e-6


def rope_frequencies() -> Tensor:
    """Return the turn per token of each pair: half of them turn, half stand still.

    With the pairs that stand still a head can match content at any distance.
    """
    index = torch.arange(SHAPE.head_size // 2, dtype=torch.float64)
    return torch.where(index < len(index) // 2, 1.5 * 0.55**index, _STILL)


def rope_factors() -> Tensor:
    """Return by what llama.cpp has to divide its own frequencies to get ours."""
    pairs = SHAPE.head_size // 2
    usual = SHAPE.rope_base ** (-torch.arange(pairs, dtype=torch.float64) / pairs)
    return usual / rope_frequencies()


def _turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    cos, sin = (table[: x.shape[2]] for table in turns)
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Block(nn.Module):
    """One layer: attention, then the gated feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        width, inner, hidden = SHAPE.width, SHAPE.heads * SHAPE.head_size, SHAPE.hidden
        self.attn_norm = nn.Parameter(torch.ones(width))
        self.attn_q = nn.Linear(width, inner, bias=False)
        self.attn_k = nn.Linear(width, inner, bias=False)
        self.attn_v = nn.Linear(width, inner, bias=False)
        self.attn_output = nn.Linear(inner, width, bias=False)
        self.ffn_norm = nn.Parameter(torch.ones(width))
        self.ffn_gate = nn.Linear(width, hidden, bias=False)
        self.ffn_up = nn.Linear(width, hidden, bias=False)
        self.ffn_down = nn.Linear(hidden, width, bias=False)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (SHAPE.heads, SHAPE.head_size)).transpose(1, 2)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
        """Return the residual stream after this layer."""
        h = F.rms_norm(x, (SHAPE.width,), self.attn_norm, SHAPE.epsilon)
        query = _turned(self._heads(self.attn_q(h)), turns)
        key = _turned(self._heads(self.attn_k(h)), turns)
        value = self._heads(self.attn_v(h))
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.attn_output(seen.transpose(1, 2).flatten(2))
        h = F.rms_norm(x, (SHAPE.width,), self.ffn_norm, SHAPE.epsilon)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    """The whole network; its matrices carry the names that GGUF gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.token_embd = nn.Embedding(len(SINGLES), SHAPE.width)
        self.run_length = nn.Parameter(torch.empty(LONGEST_RUN - 1, SHAPE.width))
        self._run_characters = torch.tensor([ord(run[0]) for run in RUNS])
        self._run_sizes = torch.tensor([len(run) - 2 for run in RUNS])
        self.blk = nn.ModuleList(Block() for _ in range(SHAPE.layers))
        self.output_norm = nn.Parameter(torch.ones(SHAPE.width))
        angles = torch.outer(torch.arange(SHAPE.context), rope_frequencies().float())
        self._turns = (angles.cos(), angles.sin())
        _start(self)

    def embeddings(self) -> Tensor:
        """Return the embedding of every token; that of a run is its character plus its length."""
        single = self.token_embd.weight
        runs = single[self._run_characters] + self.run_length[self._run_sizes]
        return torch.cat((single, runs))

    def forward(self, ids: Tensor) -> Tensor:
        """Return the final hidden state of each token."""
        x = F.embedding(ids, self.embeddings())
        for block in self.blk:
            x = block(x, self._turns)
        return F.rms_norm(x, (SHAPE.width,), self.output_norm, SHAPE.epsilon)

    def scores(self, hidden: Tensor) -> Tensor:
        """Return the score of each token of the vocabulary."""
        return F.linear(hidden, self.embeddings())


@torch.no_grad()
def _start(model: Llama) -> None:
    for name, weight in model.named_parameters():
        if weight.dim() > 1:
            into_stream = name.endswith(("attn_output.weight", "ffn_down.weight"))
            nn.init.normal_(weight, std=weight.shape[1] ** -0.5 * (0.5 if into_stream else 1.0))
    embedding = model.token_embd.weight
    nn.init.normal_(embedding, std=0.04)
    nn.init.normal_(model.run_length, std=0.04)
    common = F.normalize(torch.randn(SHAPE.width), dim=0)
    embedding += 0.25 * common
    strength = float((F.rms_norm(embedding, (SHAPE.width,)) @ common).mean())
    for block, distances in zip(model.blk, _LOOK_BACK, strict=False):
        for head, distance in enumerate(distances):
            _look_back(block, head, distance, common, strength)


def _look_back(block: Block, head: int, distance: int, common: Tensor, strength: float) -> None:
    """Make a head start with its attention on the token `distance` places back.

    All embeddings share the direction `common`: read from it, queries and keys are constant, and
    the turning pairs alone decide where the score is highest.
    """
    turns = rope_frequencies().float()
    turning = (turns > 2 * _STILL).float()
    margin = 5 * SHAPE.head_size**0.5
    size = (margin / (turning * (1 - turns.cos())).sum()).sqrt() / strength
    rows = slice(head * SHAPE.head_size, (head + 1) * SHAPE.head_size)
    for linear, ahead in ((block.attn_q, 0), (block.attn_k, distance)):
        phase = torch.stack(((ahead * turns).cos(), (ahead * turns).sin()), -1)
        vector = (size * turning)[:, None] * phase
        linear.weight[rows] *= 0.2
        linear.weight[rows] += torch.outer(vector.flatten(), common)
