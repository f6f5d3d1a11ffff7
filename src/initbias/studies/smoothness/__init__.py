"""Smoothness of targets relative to the NTK (paper A: Chen, Li, Lin 2024)."""
