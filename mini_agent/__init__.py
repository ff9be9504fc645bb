"""mini-agent: an agent loop for any model, whose snippets run in short-lived sealed sandboxes."""
