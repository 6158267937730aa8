"""One package per verb: the whole journey, composed of the rooms below."""
