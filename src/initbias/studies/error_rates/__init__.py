"""Error rates of standard and mirrored initialization (paper A: Chen, Li, Lin 2024)."""
