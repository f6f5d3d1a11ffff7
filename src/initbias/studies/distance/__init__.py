"""How far networks go from their initialization (paper D: Nagarajan, Kolter 2019)."""
