// Resizing as in training, by Pillow's method: an antialiased triangle filter, first along the
// rows, then along the columns, rounded to whole levels after each.

/** For each output position: the first input position and the weights from there on. */
function weigh(length, wanted) {
  const scale = length / wanted;
  const reach = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = [];
    for (let at = first; at < end; at++)
      weights.push(Math.max(0, 1 - Math.abs((at - centre + 0.5) / reach)));
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** Resize levels 0 to 255, (height, width, channels) flat, as Uint8ClampedArray. */
export function resize(levels, [height, width, channels], [newHeight, newWidth]) {
  if (height === newHeight && width === newWidth) return Uint8ClampedArray.from(levels);
  const middle = new Uint8ClampedArray(height * newWidth * channels);
  weigh(width, newWidth).forEach(({ first, weights }, column) => {
    for (let row = 0; row < height; row++)
      for (let channel = 0; channel < channels; channel++) {
        let sum = 0;
        for (let k = 0; k < weights.length; k++)
          sum += weights[k] * levels[(row * width + first + k) * channels + channel];
        middle[(row * newWidth + column) * channels + channel] = Math.floor(sum + 0.5);
      }
  });
  const resized = new Uint8ClampedArray(newHeight * newWidth * channels);
  const step = newWidth * channels;
  weigh(height, newHeight).forEach(({ first, weights }, row) => {
    for (let at = 0; at < step; at++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * middle[(first + k) * step + at];
      resized[row * step + at] = Math.floor(sum + 0.5);
    }
  });
  return resized;
}
