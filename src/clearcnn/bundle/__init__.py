"""The one reader and writer of run folders."""
