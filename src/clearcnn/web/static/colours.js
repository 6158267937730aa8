// Negative is orange, positive is teal, zero is the background. The colours come from the style
// sheet, which has them for light and dark mode.

// Most values are small: an exponent below 1 keeps them visible.
const LIFT = 0.7;

let table = null;

const channelsOf = (name) => {
  const sheet = new OffscreenCanvas(1, 1).getContext("2d");
  sheet.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  sheet.fillRect(0, 0, 1, 1);
  return sheet.getImageData(0, 0, 1, 1).data;
};

function makeTable() {
  const [below, zero, above] = ["--below", "--zero", "--above"].map(channelsOf);
  const colours = new Uint32Array(511);
  const bytes = new Uint8Array(colours.buffer);
  for (let at = 0; at < 511; at++) {
    const share = (Math.abs(at - 255) / 255) ** LIFT;
    const end = at < 255 ? below : above;
    for (let k = 0; k < 3; k++) bytes[4 * at + k] = zero[k] + (end[k] - zero[k]) * share;
    bytes[4 * at + 3] = 255;
  }
  return colours;
}

/** Call back when the mode changes between light and dark, to repaint everything. */
export function onScheme(listener) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    table = null;
    listener();
  });
}

/** The largest magnitude of the values, at least a little above zero. */
export function reachOf(values) {
  let most = 1e-9;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** A CSS colour; weaker in dark mode, so that text on it stays readable. */
export function colourOf(value, reach) {
  const share = Math.min(1, Math.abs(value) / reach) ** LIFT;
  return `color-mix(in srgb, var(${value < 0 ? "--below" : "--above"}) calc(${100 * share}% * var(--strength)), var(--zero))`;
}

/** Paint one channel of an image, or a vector laid out in rows of `width`. */
export function paintMap(sheet, values, reach, width, height, channels = 1, channel = 0) {
  table ??= makeTable();
  if (sheet.width !== width || sheet.height !== height) {
    sheet.width = width;
    sheet.height = height;
  }
  const image = new ImageData(width, height);
  const painted = new Uint32Array(image.data.buffer);
  const count = Math.min(width * height, values.length / channels);
  for (let at = 0; at < count; at++) {
    const share = values[at * channels + channel] / reach;
    painted[at] = table[255 + Math.round(255 * Math.max(-1, Math.min(1, share)))];
  }
  sheet.getContext("2d").putImageData(image, 0, 0);
}
