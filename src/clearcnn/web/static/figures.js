import { softmax } from "./arithmetic.js";
import { element } from "./element.js";
import { t } from "./language.js";
import { percent, short } from "./numbers.js";
import { colourOf, paintMap, reachOf } from "./colours.js";

// The figures of a close-up.

/** The result of an activation, for the end of a line; nothing for a linear one. */
export function activate(name, value) {
  return name === "linear" ? [] : [element("span.step", {}, ` → ${name} → `), short(value)];
}

/** One line of arithmetic, with the result last. */
export function line(...parts) {
  const last = parts.length - 1;
  return element(
    "p.arithmetic",
    {},
    parts.map((part, k) => (k === last ? element("b", {}, part) : part)),
  );
}

/** A bar for a number's size relative to the largest. */
export function bar(value, reach) {
  const bar = element("i.contribution");
  bar.style.width = `${(100 * Math.abs(value)) / Math.max(reach, Math.abs(value))}%`;
  bar.style.background = value < 0 ? "var(--below)" : "var(--above)";
  return bar;
}

/** A table of numbers coloured by value; null is padding, and one value may be marked. */
export function grid(title, lines, reach, chosen = null) {
  const first = lines.flat().indexOf(chosen);
  const cells = (line, row) =>
    line.map((value, column) => {
      const marked = chosen !== null && row * line.length + column === first;
      const cell = element(
        value === null ? "td.padding" : marked ? "td.chosen" : "td",
        {
          title: value === null ? t("paddingCell") : null,
        },
        value === null ? "·" : short(value),
      );
      if (value !== null) cell.style.background = colourOf(value, reach * 1.4);
      return cell;
    });
  return element(
    "table.grid",
    {},
    element("caption", {}, title),
    element(
      "tbody",
      {},
      lines.map((line, row) => element("tr", {}, cells(line, row))),
    ),
  );
}

/** One channel of an image with a window framed. */
export function map(title, values, [height, width, channels], channel, window) {
  const sheet = element("canvas");
  paintMap(sheet, values, reachOf(values), width, height, channels, channel);
  return framed(title, sheet, height, width, window);
}

/** A canvas with a frame around a part of it, in pixels of the map. */
export function framed(title, sheet, height, width, window) {
  const side = 132 / Math.max(height, width);
  sheet.style.width = `${side * width}px`;
  sheet.style.height = `${side * height}px`;
  const marker = element("i.marker");
  Object.assign(marker.style, {
    top: `${(100 * window.top) / height}%`,
    left: `${(100 * window.left) / width}%`,
    height: `${(100 * window.height) / height}%`,
    width: `${(100 * window.width) / width}%`,
  });
  return element(
    "figure",
    {},
    element("figcaption", {}, title),
    element("span.frame", {}, sheet, marker),
  );
}

/** Softmax, class by class, with every step; one class is chosen. */
export function softmaxTable(logits, { classNames, temperature }, chosen) {
  const { powers, sum, shares, most } = softmax(logits);
  const table = element(
    "table.terms.softmax",
    {},
    element("caption", {}, t("softmaxTells", { most: short(most), sum: short(sum) })),
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        ["class", "logit", "power", "share_"].map((key) => element("th", { scope: "col" }, t(key))),
        element("td"),
      ),
    ),
    element(
      "tbody",
      {},
      logits.map((logit, k) =>
        element(
          k === chosen ? "tr.chosen" : "tr",
          {},
          element("th", { scope: "row" }, classNames[k] ?? String(k)),
          element("td", {}, short(logit)),
          element("td", {}, short(powers[k])),
          element("td", {}, percent(shares[k])),
          element("td.reaching", {}, bar(shares[k], 1)),
        ),
      ),
    ),
  );
  return [
    table,
    temperature === 1
      ? null
      : element("p.note", {}, t("beforeTemperature", { temperature: short(temperature) })),
  ].filter(Boolean);
}

/** How the window moves, and what it does at the border. */
export function describeMovement({ arguments: given, input_shape: shape }, window) {
  const [down, right] = given.strides;
  const parts = [
    t("windowMoves", {
      size: `${window.height}×${window.width}`,
      stride: down === right ? down : `${down}×${right}`,
    }),
  ];
  const outside =
    window.top < 0 ||
    window.left < 0 ||
    window.top + window.height > shape[0] ||
    window.left + window.width > shape[1];
  if (given.padding === "same") parts.push(t(outside ? "paddingHere" : "paddingSame"));
  else parts.push(t("paddingValid"));
  return parts.join(" ");
}
