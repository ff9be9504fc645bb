"""Where a sandbox's files lie."""

WORKSPACE = "/workspace"
# No user's: the program's own file, and compilers' caches and binaries.
SNIPPET_FOLDER = "/tmp/.snippet"  # noqa: S108 - the sandbox is its only user
