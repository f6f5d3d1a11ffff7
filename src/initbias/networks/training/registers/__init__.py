"""Shallow networks on a CPU: loops that keep activations in registers."""
