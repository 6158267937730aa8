"""Tables of file names and labels in whatever columns, and the files that they name."""
