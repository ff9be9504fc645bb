"""Permissions: parse a call, match it against the rules, decide, and word the question.

`matching` turns a call into a request and matches rules against it; `shell_commands`,
`shell_options` and `shell_files` read command lines for it; `policy` decides; `prompts` words what
the user is asked; `rules` and `settings` are where rules come from.
"""
