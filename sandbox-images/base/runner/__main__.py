"""The first process of a sandbox: python3 -I -S /opt/mini-agent/runner SECONDS [PRELOAD]."""

import sys

from sandbox_runner.lifecycle import serve

serve(float(sys.argv[1]), *sys.argv[2:3])()
