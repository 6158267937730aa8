"""What every verb does with a finished run: load its model, its data and its preprocessing."""
