"""The assistant at a terminal: prompts, streamed answers, questions, slash commands."""
