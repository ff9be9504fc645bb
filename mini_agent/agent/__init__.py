"""The agent loop: ask the model, run its tool calls, show it what came of them, until it answers."""
