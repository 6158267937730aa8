"""`predict`: predictions for new images, without Keras."""
