"""`evaluate`: how good a recipe or a finished run is, with intervals."""
