"""Everything that made the demo model: its data, its training and its measurement."""
