"""Changed models, trained beside the server: one warm process that can be cancelled."""
