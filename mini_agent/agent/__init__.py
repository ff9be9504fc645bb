"""The agent loop: ask the model, run its tool calls, show it the results, until it answers."""
