"""The page at `/`, which shows runs as they happen; static files without a build step."""
