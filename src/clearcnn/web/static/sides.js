import { times } from "./numbers.js";

/** Height and width as people write them: 3 if they are alike, else 3×5. */
export function writeSides(sides) {
  const [height, width = height] = [sides].flat();
  return height === width ? String(height) : times([height, width]);
}

/** Read 3, or height×width; what is neither stays as it is, for the server to say what is wrong. */
export function parseSides(text) {
  const found = /^\s*(\d+)\s*(?:[×xX*,]\s*(\d+)\s*)?$/.exec(text);
  if (!found) return text;
  const height = Number(found[1]);
  const width = Number(found[2] ?? height);
  return height === width ? height : [height, width];
}

/** Make both sides larger or smaller, down to 1. */
export function stepSides(sides, by) {
  const stepped = [sides].flat().map((side) => Math.max(1, (Number(side) || 1) + by));
  return stepped.length === 1 ? stepped[0] : stepped;
}
