"""The codex sidecar: the one service that starts containers, a fresh one for each snippet."""
