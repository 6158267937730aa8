"""One file for each reader, with its `TARGET`."""
