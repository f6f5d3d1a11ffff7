"""From a configuration to shards, and from shards to files. Knows no study by name."""
