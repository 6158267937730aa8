"""Images and labels as Python objects, known by what they can do: no library is needed for them."""
