"""What removes the cost of a random start, and at what price (ours)."""
