import { times } from "./numbers.js";

/** Format height and width: 3 if they are equal, else 3×5. */
export function writeSides(sides) {
  const [height, width = height] = [sides].flat();
  return height === width ? String(height) : times([height, width]);
}

/** Parse 3, or height×width; other text is kept, so that the server reports the error. */
export function parseSides(text) {
  const found = /^\s*(\d+)\s*(?:[×xX*,]\s*(\d+)\s*)?$/.exec(text);
  if (!found) return text;
  const height = Number(found[1]);
  const width = Number(found[2] ?? height);
  return height === width ? height : [height, width];
}

/** Change both sides by a step, but not below 1. */
export function stepSides(sides, by) {
  const stepped = [sides].flat().map((side) => Math.max(1, (Number(side) || 1) + by));
  return stepped.length === 1 ? stepped[0] : stepped;
}
