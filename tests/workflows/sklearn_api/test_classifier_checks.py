"""`CNNClassifier` before scikit-learn's own checks of an estimator."""

from collections.abc import Iterator
from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from clearcnn import CNNClassifier

EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A weight of 2 is two copies on average only: batches, dropout and the validation part "
        "are drawn by chance, image by image. Without these it is, which test_classifier.py shows."
    ),
}


@pytest.fixture(scope="module", autouse=True)
def compiled_sooner() -> Iterator[None]:
    """Each check has other shapes; these programs run for a moment only."""
    import jax

    usual = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", usual)


# Without pandas and SCIPY_ARRAY_API=1, scikit-learn skips three of the checks.
@pytest.mark.release
@parametrize_with_checks(
    [CNNClassifier(epochs=20)], expected_failed_checks=lambda _: EXPECTED_TO_FAIL
)
def test_it_is_a_scikit_learn_classifier(estimator: Any, check: Any) -> None:
    check(estimator)
