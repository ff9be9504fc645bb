"""Where a sandbox's files lie."""

WORKSPACE = "/workspace"
# In the workspace, and no snippet's: compilers' caches and binaries.
PRIVATE_FOLDER = ".mini-agent"
