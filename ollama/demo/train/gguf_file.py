"""Writes the network, its tokens and its chat template as one GGUF file."""

from pathlib import Path
from typing import Final

import gguf
import numpy as np
from torch import Tensor

from train.network import SHAPE, Llama, rope_factors
from train.vocabulary import CONTROL, END, FIXED, PADDING, RUNS, TOKEN_IDS, TOKENS

TEMPLATE: Final = Path(__file__).parent.parent / "tiny-agent.jinja"


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().float().numpy()


def _write_sizes(writer: gguf.GGUFWriter) -> None:
    writer.add_name("tiny-agent")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(SHAPE.context)
    writer.add_embedding_length(SHAPE.width)
    writer.add_block_count(SHAPE.layers)
    writer.add_feed_forward_length(SHAPE.hidden)
    writer.add_head_count(SHAPE.heads)
    writer.add_head_count_kv(SHAPE.heads)
    writer.add_key_length(SHAPE.head_size)
    writer.add_value_length(SHAPE.head_size)
    writer.add_rope_dimension_count(SHAPE.head_size)
    writer.add_rope_freq_base(SHAPE.rope_base)
    writer.add_layer_norm_rms_eps(SHAPE.epsilon)
    writer.add_vocab_size(len(TOKENS))


def _write_tokens(writer: gguf.GGUFWriter) -> None:
    kinds = [gguf.TokenType.NORMAL] * 256
    kinds += [gguf.TokenType.USER_DEFINED] * len(FIXED)
    kinds += [gguf.TokenType.CONTROL] * len(CONTROL)
    kinds += [gguf.TokenType.USER_DEFINED] * len(RUNS)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(TOKENS))
    writer.add_token_types(kinds)
    # llama.cpp insists on a list of merges; this one has no token, so it never applies.
    writer.add_token_merges([f"{TOKENS[0]} {TOKENS[1]}"])
    writer.add_bos_token_id(TOKEN_IDS[PADDING])
    writer.add_pad_token_id(TOKEN_IDS[PADDING])
    writer.add_eos_token_id(TOKEN_IDS[END])
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE.read_text())


def _write_weights(writer: gguf.GGUFWriter, model: Llama) -> None:
    writer.add_tensor("rope_freqs.weight", _array(rope_factors()))
    writer.add_tensor("token_embd.weight", _array(model.embeddings()))
    writer.add_tensor("output_norm.weight", _array(model.output_norm))
    for name, tensor in model.blk.state_dict(prefix="blk.").items():
        writer.add_tensor(name if name.endswith(".weight") else f"{name}.weight", _array(tensor))


def write_gguf(model: Llama, path: Path) -> None:
    """Write the file that llama.cpp serves."""
    writer = gguf.GGUFWriter(path, "llama")
    _write_sizes(writer)
    _write_tokens(writer)
    _write_weights(writer, model)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(f"{path}: {path.stat().st_size} bytes", flush=True)
