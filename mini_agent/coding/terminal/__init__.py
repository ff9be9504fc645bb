"""The assistant at a terminal: prompts, answers as they come, questions, slash commands."""
