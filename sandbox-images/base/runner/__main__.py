"""The first process of a sandbox: python3 -I -S /opt/mini-agent/runner SECONDS_TO_LIVE."""

import sys

from sandbox_runner.life import live
from sandbox_runner.program import run_as_main

run_as_main(live(float(sys.argv[1])))
