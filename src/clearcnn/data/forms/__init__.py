"""The forms that people have labelled images in: one file reads one; `table.py` lists them."""
