import { element } from "./element.js";
import { t } from "./language.js";
import { short } from "./numbers.js";
import { colourOf, paintMap, reachOf } from "./colours.js";
import {
  activate,
  bar,
  describeMovement,
  framed,
  grid,
  line,
  map,
  softmaxTable,
} from "./figures.js";
import * as sums from "./arithmetic.js";

const MOST_TERMS = 10;
const STEP_MILLISECONDS = 140;

/**
 * One value of one layer, close up: where it came from and the sum with its numbers.
 *
 * `onmove` gets a selection as the network's `onselect` does; `onchannel` the input channel shown.
 */
export class CloseUp {
  constructor(place, onmove, onchannel) {
    Object.assign(this, { place, onmove, onchannel, from: null, timer: null });
  }

  /** Show a selection { position, row, column, channel } of a result. */
  show(model, result, selection) {
    const moved =
      this.at && (this.at.position !== selection.position || this.at.channel !== selection.channel);
    if (moved) {
      // Another map has other contributing inputs, and another size.
      this.from = null;
      this.stop();
    }
    Object.assign(this, { model, result, at: selection });
    const layer = model.layers[selection.position];
    if (!layer || !result) return;
    const input = model.inputOf(selection.position, result);
    const focused = this.place.contains(document.activeElement)
      ? document.activeElement.dataset.keep
      : null;
    this.place.replaceChildren(...this.#explain(layer, input));
    if (focused) this.place.querySelector(`[data-keep="${focused}"]`)?.focus();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }

  #explain(layer, input) {
    const { row, column, channel } = this.at;
    const output = this.result.outputs.get(layer.name);
    const image = sums.isImage(layer.output_shape);
    const value = image
      ? output[(row * layer.output_shape[1] + column) * layer.output_shape[2] + channel]
      : output[channel];
    const head = element(
      "header",
      {},
      element("h3", {}, layer.title),
      element(
        "p",
        {},
        image
          ? t("valueAt", { number: channel + 1, row: row + 1, column: column + 1 })
          : t("valueOf", { number: channel + 1, count: layer.output_shape[0] }),
        " ",
        element("b", {}, short(value)),
      ),
    );
    return [head, ...this.#body(layer, input, output, value)];
  }

  #body(layer, input, output, value) {
    if (sums.isConvolution(layer)) return this.#convolution(layer, input, output, value);
    if (sums.isPooling(layer)) return this.#pooling(layer, input, output, value);
    if (sums.isGlobalPooling(layer)) return this.#globalPooling(layer, input, value);
    if (layer.layer === "Dense") return this.#dense(layer, input, value);
    if (layer.layer === "Flatten") return this.#flatten(layer, input, value);
    return this.#oneByOne(layer, input, value);
  }

  #convolution(layer, { values }, output, value) {
    const { row, column, channel } = this.at;
    const found = sums.convolve(layer, this.model.weights, values, [row, column, channel]);
    const strongest = found.channels.reduce((a, b) => (Math.abs(b.sum) > Math.abs(a.sum) ? b : a));
    const shown = found.channels.find(({ from }) => from === this.from) ?? strongest;
    queueMicrotask(() => this.onchannel(shown.from));
    const reach = reachOf(values);
    const kernelReach = reachOf(shown.kernel.flat());
    const productReach = reachOf(shown.products.flat());
    const name = layer.arguments.activation;
    return [
      element(
        "div.stages",
        {},
        map(
          t("input", { number: shown.from + 1 }),
          values,
          layer.input_shape,
          shown.from,
          found.window,
        ),
        grid(t("window"), shown.seen, reach),
        element("span.operator", {}, "×"),
        grid(t("kernel"), shown.kernel, kernelReach),
        element("span.operator", {}, "="),
        grid(t("products"), shown.products, productReach),
        element("span.operator", {}, "→"),
        this.#mover(layer, output),
      ),
      found.channels.length > 1 ? this.#channels(found.channels, shown) : null,
      line(
        found.channels.length > 1 ? t("sumOver", { count: found.channels.length }) : t("sum"),
        short(found.products),
        ` + ${t("bias")} `,
        short(found.bias),
        " = ",
        short(found.sum),
        ...activate(name, value),
      ),
      element("p.note", {}, describeMovement(layer, found.window)),
    ].filter(Boolean);
  }

  #pooling(layer, { values }, output, value) {
    const { row, column, channel } = this.at;
    const found = sums.pool(layer, values, [row, column, channel]);
    const maximum = layer.layer === "MaxPooling2D";
    return [
      element(
        "div.stages",
        {},
        map(t("input", { number: channel + 1 }), values, layer.input_shape, channel, found.window),
        grid(t("window"), found.seen, reachOf(values), maximum ? found.most : null),
        element("span.operator", {}, "→"),
        this.#mover(layer, output),
      ),
      maximum
        ? line(t("largest", { count: found.there.length }), short(value))
        : line(t("average"), short(found.sum), ` / ${found.there.length} = `, short(value)),
      element("p.note", {}, describeMovement(layer, found.window)),
    ];
  }

  #globalPooling(layer, { values }, value) {
    const { channel } = this.at;
    const [height, width] = layer.input_shape;
    const whole = { top: 0, left: 0, height, width };
    const mean = layer.layer === "GlobalAveragePooling2D";
    return [
      element(
        "div.stages",
        {},
        map(t("input", { number: channel + 1 }), values, layer.input_shape, channel, whole),
      ),
      line(t(mean ? "meanOfMap" : "largestOfMap", { count: height * width }), short(value)),
    ];
  }

  #dense(layer, { values, shape }, value) {
    const { row, column, channel } = this.at;
    const seen = sums.isImage(shape)
      ? values.slice((row * shape[1] + column) * shape[2], (row * shape[1] + column + 1) * shape[2])
      : values;
    const found = sums.weigh(layer, this.model.weights, seen, channel);
    const shown = found.terms.slice(0, MOST_TERMS);
    const reach = Math.abs(shown[0].product) || 1;
    const rest = found.products - shown.reduce((sum, { product }) => sum + product, 0);
    const rows = shown.map(({ from, value: given, weight, product }) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, this.#origin(from)),
        element("td", {}, short(given)),
        element("td", {}, "×"),
        element("td", {}, short(weight)),
        element("td", {}, "="),
        element("td", {}, short(product)),
        element("td.reaching", {}, bar(product, reach)),
      ),
    );
    if (found.terms.length > shown.length)
      rows.push(
        element(
          "tr",
          {},
          element(
            "th",
            { scope: "row", colSpan: 5 },
            t("others", { count: found.terms.length - shown.length }),
          ),
          element("td", {}, short(rest)),
          element("td.reaching", {}, bar(rest, reach)),
        ),
      );
    const softmax = layer.arguments.activation === "softmax";
    return [
      element(
        "table.terms",
        {},
        element("caption", {}, t("strongestInputs", { count: found.terms.length })),
        element("tbody", {}, rows),
      ),
      line(
        t("sumOver", { count: found.terms.length }),
        short(found.products),
        ` + ${t("bias")} `,
        short(found.bias),
        " = ",
        short(found.sum),
        ...(softmax ? [] : activate(layer.arguments.activation, value)),
      ),
      ...(softmax ? softmaxTable(this.#logits(layer, seen), this.model, this.at.channel) : []),
    ].filter(Boolean);
  }

  #logits(layer, seen) {
    return Array.from(
      { length: layer.arguments.units },
      (_, unit) => sums.weigh(layer, this.model.weights, seen, unit).sum,
    );
  }

  #flatten(layer, { values, shape }, value) {
    if (!sums.isImage(shape)) return [line(short(value))];
    const [row, column, channel] = sums.unflatten(this.at.channel, shape);
    return [
      element(
        "div.stages",
        {},
        map(t("input", { number: channel + 1 }), values, shape, channel, {
          top: row,
          left: column,
          height: 1,
          width: 1,
        }),
      ),
      line(t("flattened", { number: channel + 1, row: row + 1, column: column + 1 }), short(value)),
    ];
  }

  #oneByOne(layer, { values, shape }, value) {
    const { row, column, channel } = this.at;
    const { name, arguments: given } = layer;
    if (layer.layer === "ZeroPadding2D") return [line(t("padded"), short(value))];
    const before = sums.isImage(shape)
      ? values[(row * shape[1] + column) * shape[2] + channel]
      : values[channel];
    if (layer.layer === "Rescaling")
      return [
        line(
          short(before),
          " × ",
          short(given.scale),
          " + ",
          short(given.offset),
          " = ",
          short(value),
        ),
      ];
    if (layer.layer === "BatchNormalization") {
      const [gamma, beta, mean, variance] = ["gamma", "beta", "moving_mean", "moving_variance"].map(
        (kind) => this.model.weights.get(`${name}/${kind}`)[channel],
      );
      return [
        line(
          "(",
          short(before),
          " − ",
          short(mean),
          `) / √(${short(variance)} + ${given.epsilon}) × `,
          short(gamma),
          " + ",
          short(beta),
          " = ",
          short(value),
        ),
      ];
    }
    if (given.activation === "softmax" && !sums.isImage(shape))
      return softmaxTable(Array.from(values), this.model, this.at.channel);
    return [line(short(before), ...activate(given.activation ?? t("unchanged"), value))];
  }

  #origin(from) {
    const { position } = this.at;
    const before = this.model.layers[position - 1];
    if (before?.layer === "Flatten" && sums.isImage(before.input_shape)) {
      const [row, column, channel] = sums.unflatten(from, before.input_shape);
      return t("mapAt", { number: channel + 1, row: row + 1, column: column + 1 });
    }
    return t("unit", { number: from + 1 });
  }

  /** The output map, on which the mouse and the arrow keys move the selected position. */
  #mover(layer, output) {
    const { row, column, channel } = this.at;
    const [height, width, channels] = layer.output_shape;
    const sheet = element("canvas");
    paintMap(sheet, output, reachOf(output), width, height, channels, channel);
    const move = (down, right) =>
      this.onmove({
        ...this.at,
        row: Math.min(height - 1, Math.max(0, down)),
        column: Math.min(width - 1, Math.max(0, right)),
      });
    const figure = framed(t("output", { number: channel + 1 }), sheet, height, width, {
      top: row,
      left: column,
      height: 1,
      width: 1,
    });
    const frame = figure.querySelector(".frame");
    Object.entries({
      tabindex: "0",
      role: "slider",
      "aria-label": t("movePlace"),
      "data-keep": "mover",
      "aria-valuemin": 1,
      "aria-valuemax": height * width,
      "aria-valuenow": row * width + column + 1,
      "aria-valuetext": t("rowColumn", { row: row + 1, column: column + 1 }),
    }).forEach(([name, value]) => frame.setAttribute(name, value));
    frame.onpointerdown = (event) => {
      const box = sheet.getBoundingClientRect();
      this.stop();
      move(
        Math.floor(((event.clientY - box.top) / box.height) * height),
        Math.floor(((event.clientX - box.left) / box.width) * width),
      );
    };
    frame.onkeydown = (event) => {
      const way = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[
        event.key
      ];
      if (!way) return;
      event.preventDefault();
      this.stop();
      move(row + way[0], column + way[1]);
    };
    const slide = () => {
      const next = (this.at.row * width + this.at.column + 1) % (height * width);
      move(Math.floor(next / width), next % width);
    };
    const toggle = () => {
      if (this.timer) this.stop();
      else this.timer = setInterval(slide, STEP_MILLISECONDS);
      move(row, column);
    };
    figure.append(
      element(
        "button.plain",
        {
          type: "button",
          "data-keep": "slide",
          // While the window slides, the button is recreated, so a mouse click would start and end
          // on different buttons. A button pressed with a key gets a click without a pointer.
          onpointerdown: toggle,
          onclick: (event) => event.detail === 0 && toggle(),
        },
        this.timer ? t("pause") : t("slide"),
      ),
    );
    return figure;
  }

  #channels(channels, shown) {
    const reach = reachOf(channels.map(({ sum }) => sum));
    const choose = (from) => () => {
      this.from = from;
      this.show(this.model, this.result, this.at);
    };
    return element(
      "div.channels",
      { role: "group", "aria-label": t("channels") },
      element("span.note", {}, t("channels")),
      channels.map(({ from, sum }) => {
        const button = element("button", {
          type: "button",
          onclick: choose(from),
          "aria-pressed": String(from === shown.from),
          title: short(sum),
          "data-keep": `channel${from}`,
          "aria-label": t("channelAdds", { number: from + 1, sum: short(sum) }),
        });
        button.style.background = colourOf(sum, reach);
        return button;
      }),
    );
  }
}
