"""Sessions as transcript files in Claude Code's format: read, continued, shown to the model."""
