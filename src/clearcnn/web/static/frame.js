// Position and size of the figures in training images, so that a drawing can be fitted to them.

/** Measure figures on a plain background: median height, width and centre, relative to the frame. */
export function measureFrame(images, contract) {
  const [height, width, channels] = contract.shape;
  const [low, high] = contract.value_range;
  const ground = contract.polarity === "light_on_dark" ? low : high;
  const boxes = images.map((pixels) => {
    let top = height,
      left = width,
      bottom = -1,
      right = -1;
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const value = pixels[(row * width + column) * channels];
        if (Math.abs(value - ground) < 0.25 * (high - low)) continue;
        top = Math.min(top, row);
        bottom = Math.max(bottom, row);
        left = Math.min(left, column);
        right = Math.max(right, column);
      }
    return [
      (bottom + 1 - top) / height,
      (right + 1 - left) / width,
      (top + bottom + 1) / 2 / height,
      (left + right + 1) / 2 / width,
    ];
  });
  const median = (k) => boxes.map((box) => box[k]).sort((a, b) => a - b)[boxes.length >> 1];
  return boxes.length
    ? { height: median(0), width: median(1), middle: median(2), centre: median(3) }
    : null;
}

/**
 * Move and scale strokes so that they stand where the figures of training stand.
 *
 * @param strokes lists of [x, y] in the units of the pad
 * @param pen the pen's width, which stays
 * @param size [width, height] of the pad
 */
export function fitStrokes(strokes, pen, [width, height], frame) {
  const points = strokes.flat();
  if (!points.length || !frame) return strokes;
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const room = Math.max(frame.height * height - pen, 1);
  const widest = Math.max(Math.min(frame.width * 1.35, 1) * width - pen, 1);
  const scale = Math.min(room / (bottom - top || 1), widest / (right - left || 1), 3);
  const place = ([x, y]) => [
    frame.centre * width + (x - (left + right) / 2) * scale,
    frame.middle * height + (y - (top + bottom) / 2) * scale,
  ];
  return strokes.map((stroke) => stroke.map(place));
}
