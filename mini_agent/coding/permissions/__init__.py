"""Permissions: parse a call, match rules against it, decide, and word the question.

In this order: `request` parses the call. Of a command line, `shell_commands` finds the commands
that it may start and `shell_files` the files it may open, for the rules that deny and ask;
`shell_coverage` tells whether rules allow all its parts, by `programs.toml`, the table of what
programs do with their options. `matching` compares rules with that; `policy` decides; `question`
words what the user is asked. `rules` and `settings` are where the rules come from.
"""
