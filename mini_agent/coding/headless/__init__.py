"""The assistant without a terminal: prompts from options and standard input."""
