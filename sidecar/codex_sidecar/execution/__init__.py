"""Executions: the queue, one execution from start to end, and the self-test."""
