"""Memory: CLAUDE.md and AGENTS.md, and files that changed since the model saw them."""
