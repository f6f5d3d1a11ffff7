"""Where deep linear networks end on underdetermined systems (paper E: Gruber, Avron 2024)."""
