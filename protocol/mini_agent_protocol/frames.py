"""Frames between the sidecar and the runner: one byte of kind, four of length, the body.

The runner imports this module in every sandbox: the standard library alone, and little of it.
"""

# What the runner sends. All of a snippet's frames begin with the snippet's nonce.
READY = b"R"
RUNNING = b"P"
STDOUT = b"O"
STDERR = b"E"
VALUES = b"V"
RESULT = b"X"
ARTIFACTS = b"A"
WORKSPACE_RESPONSE = b"k"
# What the sidecar sends: SNIPPET, FILES, GO for a snippet; WORKSPACE, FILES for a call about files.
SNIPPET = b"S"
FILES = b"F"
GO = b"G"
INTERRUPT = b"I"
WORKSPACE = b"K"

HEADER_BYTES = 5
NONCE_BYTES = 16
PREFIX_BYTES = 4
# A frame about a snippet, and one that may hold a whole workspace.
MAX_FRAME_BYTES = 20 << 20
MAX_WORKSPACE_FRAME_BYTES = 64 << 20


def encode_header(kind: bytes, length: int) -> bytes:
    """Return the header of a frame whose body has `length` bytes."""
    return kind + length.to_bytes(HEADER_BYTES - 1, "big")


def decode_header(header: bytes) -> tuple[bytes, int]:
    """Return the kind of a frame and the length of its body, in bytes."""
    return header[:1], int.from_bytes(header[1:], "big")


def encode_frame(kind: bytes, body: bytes) -> bytes:
    """Return a frame: its header and its body."""
    return encode_header(kind, len(body)) + body


def encode_part(text: bytes) -> bytes:
    """Encode `text` as the first of two parts of a body: its length, then the text."""
    return len(text).to_bytes(PREFIX_BYTES, "big") + text


def split_parts(body: bytes) -> tuple[bytes, bytes]:
    """Split a body of ARTIFACTS (skipped, tar) or WORKSPACE_RESPONSE (JSON, content)."""
    end = PREFIX_BYTES + int.from_bytes(body[:PREFIX_BYTES], "big")
    return body[PREFIX_BYTES:end], body[end:]
