"""`CNNClassifier`: a recipe as a scikit-learn estimator."""
