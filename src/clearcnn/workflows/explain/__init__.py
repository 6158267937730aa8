"""`explain`: the layers' outputs for one image, saliency maps and nearest training images."""
