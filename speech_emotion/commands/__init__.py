"""One module per command: its arguments and the story of the step."""
