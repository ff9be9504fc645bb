"""The page at `/`: runs seen as they happen. Files as they are, with no build step."""
