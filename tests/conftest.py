"""What holds for every test."""

from __future__ import annotations

import signal

# Whoever starts the tests in the background may have them ignore these, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
