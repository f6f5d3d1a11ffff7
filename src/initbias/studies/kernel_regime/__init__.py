"""How closely networks follow their kernel as the width grows (paper A: Chen, Li, Lin 2024)."""
