"""What every verb does with a finished run: load its model and its data, preprocess images."""
