"""`python -m mini_agent`: the command line."""

from __future__ import annotations

from mini_agent.cli.main import main

if __name__ == "__main__":
    main()
