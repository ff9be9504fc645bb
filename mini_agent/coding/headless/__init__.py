"""The assistant without a terminal: prompts come in, results go out."""
