"""Other people's agents beside ours, with the same weak models (`make agents`)."""
