"""One compiled program for a whole fit."""
