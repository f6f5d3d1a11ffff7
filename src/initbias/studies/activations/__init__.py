"""Which property of the network sets the rate from a random initial output: beyond the papers."""
