"""Linear networks by the imbalance of their start (paper C: Min, Tarmoun, Vidal, Mallada 2021)."""
