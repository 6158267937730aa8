// The arithmetic behind one output value. Images are flat arrays, channels last.

const CONVOLUTIONS = ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"];
const POOLINGS = ["MaxPooling2D", "AveragePooling2D"];
const GLOBAL_POOLINGS = ["GlobalAveragePooling2D", "GlobalMaxPooling2D"];

export const isConvolution = ({ layer }) => CONVOLUTIONS.includes(layer);
export const isPooling = ({ layer }) => POOLINGS.includes(layer);
export const isGlobalPooling = ({ layer }) => GLOBAL_POOLINGS.includes(layer);
export const isImage = (shape) => shape.length === 3;

/**
 * The window that one place of a convolution or pooling came from.
 *
 * Gives top and left (negative in the padding), the sizes, strides and dilations, and the rows
 * and columns it takes in, of which some may lie outside the image.
 */
export function windowAt({ arguments: given, input_shape: shape }, row, column) {
  const sizes = given.kernel_size ?? given.pool_size;
  const dilations = given.dilation_rate ?? [1, 1];
  const starts = [row, column].map((place, axis) => {
    if (given.padding !== "same") return place * given.strides[axis];
    const extent = (sizes[axis] - 1) * dilations[axis] + 1;
    const places = Math.ceil(shape[axis] / given.strides[axis]);
    const missing = Math.max(0, (places - 1) * given.strides[axis] + extent - shape[axis]);
    return place * given.strides[axis] - Math.floor(missing / 2);
  });
  const positions = starts.map((start, axis) =>
    Array.from({ length: sizes[axis] }, (_, k) => start + k * dilations[axis]),
  );
  return {
    top: starts[0],
    left: starts[1],
    height: (sizes[0] - 1) * dilations[0] + 1,
    width: (sizes[1] - 1) * dilations[1] + 1,
    rows: positions[0],
    columns: positions[1],
  };
}

/** The values in a window, one list for each row; null in the padding. */
export function look(values, [height, width, channels], { rows, columns }, channel) {
  return rows.map((row) =>
    columns.map((column) =>
      row < 0 || column < 0 || row >= height || column >= width
        ? null
        : values[(row * width + column) * channels + channel],
    ),
  );
}

/** The kernel of a convolution between two channels, as rows; null if they are not connected. */
export function kernelOf({ name, layer, arguments: given, input_shape: shape }, weights, from, to) {
  const [rows, columns] = given.kernel_size;
  const size = rows * columns;
  const channels = shape[2];
  const deep = given.depth_multiplier ?? 1;
  let flat;
  if (layer === "Conv2D") {
    const start = (to * channels + from) * size;
    flat = weights.get(`${name}/kernel`).subarray(start, start + size);
  } else if (layer === "DepthwiseConv2D") {
    if (Math.floor(to / deep) !== from) return null;
    flat = weights.get(`${name}/kernel`).subarray(to * size, (to + 1) * size);
  } else {
    // A separable convolution is one kernel for each channel, weighed by the point-wise part.
    const depth = weights.get(`${name}/kernel`);
    const point = weights.get(`${name}/pointwise_kernel`);
    flat = new Float32Array(size);
    for (let k = from * deep; k < (from + 1) * deep; k++)
      for (let at = 0; at < size; at++)
        flat[at] += point[to * channels * deep + k] * depth[k * size + at];
  }
  return Array.from({ length: rows }, (_, k) => [...flat.subarray(k * columns, (k + 1) * columns)]);
}

/** One convolution: for each connected channel its window, kernel, products and their sum. */
export function convolve(layer, weights, input, [row, column, to]) {
  const window = windowAt(layer, row, column);
  const channels = [];
  for (let from = 0; from < layer.input_shape[2]; from++) {
    const kernel = kernelOf(layer, weights, from, to);
    if (!kernel) continue;
    const seen = look(input, layer.input_shape, window, from);
    const products = seen.map((line, i) => line.map((value, j) => (value ?? 0) * kernel[i][j]));
    channels.push({ from, seen, kernel, products, sum: total(products.flat()) });
  }
  const bias = weights.get(`${layer.name}/bias`)?.[to] ?? 0;
  const products = total(channels.map(({ sum }) => sum));
  return { window, channels, bias, products, sum: products + bias };
}

/** One pooling: the window's values and the result. Padding is ignored. */
export function pool(layer, input, [row, column, channel]) {
  const window = windowAt(layer, row, column);
  const seen = look(input, layer.input_shape, window, channel);
  const there = seen.flat().filter((value) => value !== null);
  return { window, seen, there, sum: total(there), most: Math.max(...there) };
}

/** One unit of a Dense layer: the contribution of each input, largest first. */
export function weigh(layer, weights, input, unit) {
  const units = layer.arguments.units;
  const kernel = weights.get(`${layer.name}/kernel`);
  const terms = Array.from(input, (value, from) => {
    const weight = kernel[from * units + unit];
    return { from, value, weight, product: value * weight };
  });
  const bias = weights.get(`${layer.name}/bias`)?.[unit] ?? 0;
  const products = total(terms.map(({ product }) => product));
  terms.sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  return { terms, bias, products, sum: products + bias };
}

/** Softmax with every step: exp of each logit minus the largest, and their sum. */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - most));
  const sum = total(powers);
  return { most, powers, sum, shares: powers.map((power) => power / sum) };
}

/** Where a value of a flattened image came from: [row, column, channel]. */
export function unflatten(index, [, width, channels]) {
  return [
    Math.floor(index / (width * channels)),
    Math.floor(index / channels) % width,
    index % channels,
  ];
}

function total(numbers) {
  let sum = 0;
  for (const number of numbers) sum += number;
  return sum;
}
