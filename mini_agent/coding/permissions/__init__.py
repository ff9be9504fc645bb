"""Permissions: parse a call, match rules against it, decide, and word the question.

In this order: `request` parses the call; `shell_commands`, `shell_options` and `shell_files` find 
what a command line may start, read and change; `matching` compares rules with that; `policy`
decides; `prompts` words what the user is asked. `rules` and `settings` are where the rules come
from.
"""
