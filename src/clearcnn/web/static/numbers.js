import { language } from "./language.js";

/** A number with about three digits and a true minus sign. */
export function short(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  const text = size > 0 && size < 0.005 ? value.toPrecision(1) : value.toFixed(digits);
  const plain = text.includes(".") && !text.includes("e") ? text.replace(/\.?0+$/, "") : text;
  return (plain === "-0" ? "0" : plain).replace("-", "−");
}

/** The sign as the language spells it: "97.2 %" in English, "97.2%" in Korean. */
const sign = () => (language() === "ko" ? "%" : " %");

export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}${sign()}`;

/** A share whose decimals tell it from 0 and 1, as in the report: "99.97 %". */
export const finePercent = (share) => percent(share, fineDigits(share));

/** An interval of shares: "99.0–99.97 %". */
export const percentRange = (low, high) =>
  `${(100 * low).toFixed(fineDigits(low))}–${finePercent(high)}`;

function fineDigits(share) {
  const value = 100 * share;
  const near = 1e-7;
  const isRounded = (digits) => {
    const shown = Number(value.toFixed(digits));
    return (shown === 100 && value < 100 - near) || (shown === 0 && value > near);
  };
  let digits = 1;
  while (digits < 6 && isRounded(digits)) digits += 1;
  return digits;
}

export const grouped = (count) => count.toLocaleString("en-US");

export const times = (shape) => shape.join("×");
