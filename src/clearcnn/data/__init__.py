"""Sources of labelled images, and their split."""
