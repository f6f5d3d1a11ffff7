"""A static site of documentation, API reference and results, readable without a server or a network."""
