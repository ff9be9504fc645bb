"""The runner: the first process of every sandbox, which takes snippets and tells their ends.

Every import here is paid for at each start of a sandbox: no dataclasses, pathlib or tarfile before
they are needed.
"""
