"""The studio: from an empty folder to a kept run, beside a page in the browser."""
