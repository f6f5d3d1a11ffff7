"""Linear networks: gradient descent, gradient flow, and what they find."""
