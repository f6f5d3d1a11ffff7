"""What a random initial output costs where data are real, in closed form and without training (ours)."""
