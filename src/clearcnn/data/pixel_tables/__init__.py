"""Tables of text with one image in each row: pixels in columns, or all pixels in one cell."""
