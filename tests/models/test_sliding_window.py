import hypothesis.strategies as st
from hypothesis import assume, given, settings

from clearcnn.models.sliding_window import Window


@settings(deadline=None)
@given(
    length=st.integers(1, 20),
    size=st.integers(1, 6),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 3),
    same=st.booleans(),
)
def test_places_and_padding_are_those_of_xla(length, size, stride, dilation, same):
    import jax

    window = Window(size, stride, dilation, same)
    # What XLA itself pads and slides, as one axis of lax.conv_general_dilated.
    before, after = jax.lax.padtype_to_pads(
        (length,), (window.extent,), (stride,), "SAME" if same else "VALID"
    )[0]
    padded = before + length + after
    assume(padded >= window.extent)
    num_places = (padded - window.extent) // stride + 1
    seen = [
        [p for p in range(start, start + window.extent, dilation) if 0 <= p < length]
        for start in range(-before, num_places * stride - before, stride)
    ]
    assert window.count_places(length) == num_places
    assert window.slide([(pixel, pixel) for pixel in range(length)]) == [
        (min(pixels), max(pixels)) if pixels else None for pixels in seen
    ]


@settings(deadline=None)
@given(length=st.integers(1, 20), size=st.integers(1, 30), stride=st.integers(1, 5))
def test_a_window_larger_than_its_axis_has_no_place(length, size, stride):
    assert (Window(size, stride).count_places(length) < 1) == (size > length)
