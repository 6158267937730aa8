import { readImage } from "./read_image.js";
import { resize } from "./resize.js";

const KINDS = {
  uint8: Uint8Array,
  uint16: Uint16Array,
  float32: Float32Array,
  float64: Float64Array,
};

/** The pixels of a model's images, from their raw bytes. */
export function fromBytes(bytes, contract) {
  return new KINDS[contract.dtype](bytes.buffer, bytes.byteOffset, count(contract));
}

export const count = ({ shape }) => shape[0] * shape[1] * shape[2];

/** Convert RGBA levels of any size to a model's pixels, as `clearcnn predict` does with files. */
export function fromRgba(rgba, height, width, contract) {
  const [wantedHeight, wantedWidth, channels] = contract.shape;
  const levels = channels === 1 ? toGrey(rgba) : toRgb(rgba);
  const size = [wantedHeight, wantedWidth];
  return scale(resize(levels, [height, width, channels], size), contract);
}

/** Convert a part of an image, canvas or video, in whole pixels, to a model's pixels. */
export function fromSource(source, { left, top, width, height }, contract) {
  const sheet = new OffscreenCanvas(width, height).getContext("2d");
  sheet.drawImage(source, -left, -top);
  return fromRgba(sheet.getImageData(0, 0, width, height).data, height, width, contract);
}

/** Read an image file, all of it, in any format that the browser supports. */
export async function fromFile(file, contract) {
  const image = await readImage(file);
  const { width, height } = image;
  const pixels = fromSource(image, { left: 0, top: 0, width, height }, contract);
  image.close();
  return pixels;
}

/** Invert the image. */
export function invert(pixels, { value_range: [low, high] }) {
  return pixels.map((value) => low + high - value);
}

/**
 * Tell which of figure and ground is the lighter, as the server does: by the median of the ring of
 * outermost pixels, and by the darkest and lightest tenths of the inside.
 */
export function polarityOf(pixels, contract) {
  const [height, width, channels] = contract.shape;
  const [low, high] = contract.value_range;
  if (Math.min(height, width) < 3 || high <= low) return "unknown";
  const ring = [],
    inside = [];
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      let light = 0;
      for (let k = 0; k < channels; k++) light += pixels[(row * width + column) * channels + k];
      light = (light / channels - low) / (high - low);
      const outside = row % (height - 1) === 0 || column % (width - 1) === 0;
      (outside ? ring : inside).push(light);
    }
  const ground = quantile(ring, 0.5);
  if (ground <= 1 / 3 && quantile(inside, 0.9) - ground >= 1 / 3) return "light_on_dark";
  if (ground >= 2 / 3 && ground - quantile(inside, 0.1) >= 1 / 3) return "dark_on_light";
  return "unknown";
}

function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const before = Math.floor(place);
  return sorted[before] + (place - before) * ((sorted[before + 1] ?? 0) - sorted[before]);
}

/** Whether figure and ground of an image are clearly those of the training images, exchanged. */
export function isInverted(pixels, contract) {
  if (contract.polarity === "unknown") return false;
  const seen = polarityOf(pixels, contract);
  return seen !== "unknown" && seen !== contract.polarity;
}

/** Paint a model's pixels on a canvas of their size. */
export function paint(pixels, contract, sheet) {
  const [height, width, channels] = contract.shape;
  const [low, high] = contract.value_range;
  const painted = new ImageData(width, height);
  for (let at = 0; at < height * width; at++) {
    for (let k = 0; k < 3; k++) {
      const value = pixels[at * channels + (channels === 3 ? k : 0)];
      painted.data[4 * at + k] = (255 * (value - low)) / (high - low || 1);
    }
    painted.data[4 * at + 3] = 255;
  }
  sheet.width = width;
  sheet.height = height;
  sheet.getContext("2d").putImageData(painted, 0, 0);
}

// Transparent pixels get a white background.
function toRgb(rgba) {
  const levels = new Uint8ClampedArray((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    const alpha = rgba[from + 3] / 255;
    for (let k = 0; k < 3; k++) levels[to++] = rgba[from + k] * alpha + 255 * (1 - alpha);
  }
  return levels;
}

// ITU-R 601-2 luma with Pillow's fixed-point weights.
function toGrey(rgba) {
  const rgb = toRgb(rgba);
  const levels = new Uint8ClampedArray(rgb.length / 3);
  for (let at = 0; at < levels.length; at++)
    levels[at] =
      (rgb[3 * at] * 19595 + rgb[3 * at + 1] * 38470 + rgb[3 * at + 2] * 7471 + 0x8000) >> 16;
  return levels;
}

function scale(levels, { dtype, value_range: [low, high] }) {
  const most = 255;
  const whole = dtype.startsWith("u");
  return KINDS[dtype].from(levels, (level) => {
    const value = low + (level * (high - low)) / most;
    return whole ? Math.round(value) : value;
  });
}
