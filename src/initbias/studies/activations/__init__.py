"""Which property of the network sets the rate that a random initial output allows: ours, beyond the papers."""
