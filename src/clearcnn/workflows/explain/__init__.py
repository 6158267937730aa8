"""`explain`: what each layer does to one image, and which pixels decided."""
