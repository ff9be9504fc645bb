"""The coding assistant: two loops round the library's own, on the user's files."""
