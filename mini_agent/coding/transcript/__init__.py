"""Sessions as files in Claude Code's own shape: read, continued, and shown to the model."""
