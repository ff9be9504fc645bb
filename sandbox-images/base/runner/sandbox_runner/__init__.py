"""The runner: the first process of every sandbox, which runs snippets and reports on them.

Every import is paid for at each start of a sandbox: no typing, dataclasses or pathlib at all, and
no tarfile before it is needed.
"""
