"""From a spec to a Keras model; shape and parameter arithmetic."""
