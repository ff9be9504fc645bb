"""The base image: Python runs as nobody in particular, in UTC and UTF-8, and nothing is setuid."""

import locale
import os
import stat
import time
from pathlib import Path

assert os.getuid() != 0
assert time.tzname[0] == "UTC"
assert locale.getpreferredencoding() == "UTF-8"
assert stat.S_IMODE(Path("/tmp").stat().st_mode) == 0o1777
for folder in ("/usr", "/opt"):
    for path in Path(folder).rglob("*"):
        assert not path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID) or path.is_dir(), path
print("smoke ok")
