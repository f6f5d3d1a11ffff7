"""Error from a random initial output, and networks without one (paper B: Zhang, Xu, Luo, Ma 2020)."""
