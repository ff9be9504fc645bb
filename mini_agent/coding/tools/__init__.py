"""The coding assistant's own tools, on the user's files and in the user's shell."""
