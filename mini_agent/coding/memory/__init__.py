"""What the assistant is told beside the user's words: CLAUDE.md, AGENTS.md, changed files."""
