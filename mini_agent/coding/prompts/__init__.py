"""What makes the assistant behave: prompts, reminders and hooks, as resources of servers."""
