"""Python programs, run in forks of the runner's own interpreter."""
