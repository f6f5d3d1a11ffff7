"""Rates for targets of finite smoothness (paper A: Chen, Li, Lin 2024, Theorem 4.3 ii)."""
