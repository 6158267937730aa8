"""`train`: from labelled images to a finished run folder."""
