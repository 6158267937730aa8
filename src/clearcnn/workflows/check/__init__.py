"""`check`: problems in the data, found before training."""
