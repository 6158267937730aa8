/** A number with about three digits and a true minus sign. */
export function short(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = size > 0 && size < 0.005 ? value.toPrecision(1) : value.toFixed(digits);
  const plain = text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
  return (plain === "-0" ? "0" : plain).replace("-", "−");
}

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)} %`;

export const grouped = (count) => count.toLocaleString("en-US");

export const times = (shape) => shape.join("×");
