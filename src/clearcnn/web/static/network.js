import { element } from "./element.js";
import { t } from "./language.js";
import { short, times } from "./numbers.js";
import { paintMap, reachOf } from "./colours.js";
import { paint } from "./picture.js";
import { isConvolution, isImage, isPooling, unflatten, windowAt } from "./arithmetic.js";

const ROWS_OF_TILES = 6;

/** The layout of a vector in rows of cells. */
export function layOut(count) {
  const width = count <= 16 ? 1 : Math.max(4, Math.ceil(Math.sqrt(count / 2.5)));
  return { width, height: Math.ceil(count / width) };
}

/** CSS pixels per pixel of a map: the fewer maps, the larger. */
function chooseZoom(layers) {
  const across = layers.reduce(
    (sum, { layer, output_shape: shape }) =>
      sum +
      (isImage(shape) && layer !== "Dropout" ? Math.ceil(shape[2] / ROWS_OF_TILES) * shape[1] : 8),
    0,
  );
  return Math.max(2, Math.min(7, 800 / across));
}

const tileSide = (side, zoom) => Math.max(26, Math.min(80, side * zoom));

/**
 * The network as a row of layers. Each layer is one stop of the Tab key; arrows go from map to
 * map and from layer to layer. `onselect` gets { position, row, column, channel }, where position
 * is the layer's, -1 for the image.
 */
export class Network {
  constructor(place, onselect) {
    Object.assign(this, { place, onselect, columns: [], pinned: false });
    this.source = element("i.marker.source");
    this.target = element("i.marker.target");
  }

  /** Build the row of layers for a model. */
  open(model) {
    this.model = model;
    this.zoom = chooseZoom(model.layers);
    this.columns = [
      this.#makeInput(),
      ...model.layers.map((layer, k) => this.#makeLayer(layer, k)),
    ];
    const parts = this.columns.flatMap(({ box }, k) =>
      k ? [element("li.arrow", { "aria-hidden": "true" }), box] : [box],
    );
    this.place.replaceChildren(...parts);
  }

  /** Paint every map of a result. */
  show(result) {
    this.result = result;
    paint(result.pixels, this.model.contract, this.columns[0].sheets[0]);
    this.model.layers.forEach((layer, k) => {
      const values = result.outputs.get(layer.name);
      const { sheets, scale } = this.columns[k + 1];
      if (!values || !sheets.length) return;
      const reach = reachOf(values);
      if (isImage(layer.output_shape)) {
        const [height, width, channels] = layer.output_shape;
        sheets.forEach((sheet, c) => paintMap(sheet, values, reach, width, height, channels, c));
      } else {
        const { width, height } = layOut(values.length);
        paintMap(sheets[0], values, reach, width, height);
      }
      scale.textContent = `±${short(reach)}`;
    });
  }

  /** Frame the selected value and the window it comes from. */
  mark({ position, row, column, channel }, from = 0) {
    const layer = this.model.layers[position];
    if (!layer) return this.#hide();
    this.#frame(this.target, position, layer.output_shape, row, column, 1, 1, channel);
    const before = position
      ? this.model.layers[position - 1].output_shape
      : this.model.contract.shape;
    if (!isImage(before) || !isImage(layer.output_shape)) return this.source.remove();
    const seen =
      isConvolution(layer) || isPooling(layer)
        ? windowAt(layer, row, column)
        : { top: row, left: column, height: 1, width: 1 };
    const kept = isConvolution(layer) ? from : Math.min(channel, before[2] - 1);
    this.#frame(
      this.source,
      position - 1,
      before,
      seen.top,
      seen.left,
      seen.height,
      seen.width,
      kept,
    );
  }

  #hide() {
    this.source.remove();
    this.target.remove();
  }

  #frame(marker, position, shape, top, left, height, width, channel) {
    const tiles = this.columns[position + 1]?.tiles ?? [];
    const image = isImage(shape);
    const tile = tiles[image && position >= 0 ? channel : 0];
    if (!tile) return marker.remove();
    const grid = image ? { width: shape[1], height: shape[0] } : layOut(shape[0]);
    if (!image) [top, left] = [Math.floor(channel / grid.width), channel % grid.width];
    const low = Math.max(0, top),
      near = Math.max(0, left);
    const style = marker.style;
    style.top = `${(100 * low) / grid.height}%`;
    style.left = `${(100 * near) / grid.width}%`;
    style.height = `${(100 * (Math.min(grid.height, top + height) - low)) / grid.height}%`;
    style.width = `${(100 * (Math.min(grid.width, left + width) - near)) / grid.width}%`;
    tile.querySelector(".frame").append(marker);
  }

  #makeInput() {
    const { shape } = this.model.contract;
    const sheet = element("canvas");
    const tile = element("div.tile", {}, element("span.frame", {}, sheet));
    this.#size(sheet, shape, 96);
    const box = element(
      "li.layer.image",
      {},
      element("h3", {}, t("image")),
      element("p.shape", {}, times(shape)),
      element("div.tiles", {}, tile),
    );
    return { box, tiles: [tile], sheets: [sheet] };
  }

  #makeLayer(layer, position) {
    const quiet = layer.layer === "Dropout";
    const image = isImage(layer.output_shape);
    const count = quiet ? 0 : image ? layer.output_shape[2] : 1;
    const tiles = Array.from({ length: count }, (_, c) =>
      this.#makeTile(layer, position, c, image),
    );
    const sheets = tiles.map((tile) => tile.querySelector("canvas"));
    const scale = element("span.reach");
    const group = element(
      "div.tiles",
      {
        role: "group",
        "aria-label": `${layer.name}, ${layer.title}, ${times(layer.output_shape)}`,
      },
      tiles,
    );
    const last = position === this.model.layers.length - 1;
    if (last && count && !image && layer.output_shape[0] <= 16)
      group.append(
        element(
          "ol.names",
          { "aria-hidden": "true" },
          this.model.classNames.map((name) => element("li", {}, name)),
        ),
      );
    if (image)
      group.style.gridTemplateColumns = `repeat(${Math.ceil(count / ROWS_OF_TILES)}, auto)`;
    const [head, ...rest] = layer.title.split(" · ");
    const box = element(
      quiet ? "li.layer.quiet" : "li.layer",
      {},
      element("h3", { title: layer.title }, head),
      element("p.shape", {}, times(layer.output_shape), " ", scale),
      rest.length
        ? element("p.facts", {}, rest.join(" · "))
        : element("p.facts", {}, quiet ? t("onlyTraining") : "\u00a0"),
      group,
    );
    return { box, tiles, sheets, scale };
  }

  #makeTile(layer, position, channel, image) {
    const sheet = element("canvas");
    const shape = layer.output_shape;
    if (image) this.#size(sheet, shape, tileSide(Math.max(shape[0], shape[1]), this.zoom));
    else this.#sizeVector(sheet, shape[0]);
    const label = image
      ? t("mapOf", { layer: layer.name, number: channel + 1 })
      : t("valuesOf", { layer: layer.name, count: shape[0] });
    return element(
      "button.tile",
      {
        type: "button",
        tabindex: channel ? "-1" : "0",
        "aria-label": label,
        onpointermove: (event) => this.#point(event, position, channel, image, false),
        onclick: (event) => this.#point(event, position, channel, image, true),
        onkeydown: (event) => this.#press(event, position, channel, image),
        onfocus: (event) =>
          event.currentTarget.matches(":focus-visible") && this.#pick(position, channel, image),
      },
      element("span.frame", {}, sheet),
    );
  }

  #size(sheet, [height, width], side) {
    sheet.style.width = `${(side * width) / Math.max(height, width)}px`;
    sheet.style.height = `${(side * height) / Math.max(height, width)}px`;
  }

  #sizeVector(sheet, count) {
    const { width, height } = layOut(count);
    const cell = Math.max(4, Math.min(22, Math.floor(240 / height)));
    sheet.style.width = `${Math.max(cell, width === 1 ? 22 : cell) * width}px`;
    sheet.style.height = `${cell * height}px`;
  }

  #point(event, position, channel, image, pin) {
    if (!this.result || (this.pinned && !pin)) return;
    const box = event.currentTarget.querySelector("canvas").getBoundingClientRect();
    // A button pressed with the keyboard gets a click without a position.
    if (pin && event.detail === 0) return this.#pick(position, channel, image, true);
    const x = (event.clientX - box.left) / box.width,
      y = (event.clientY - box.top) / box.height;
    if (x < 0 || y < 0 || x >= 1 || y >= 1) return;
    const shape = this.model.layers[position].output_shape;
    const grid = image ? { width: shape[1], height: shape[0] } : layOut(shape[0]);
    const row = Math.floor(y * grid.height),
      column = Math.floor(x * grid.width);
    const index = row * grid.width + column;
    if (!image && index >= shape[0]) return;
    this.onselect(
      image ? { position, row, column, channel } : { position, row: 0, column: 0, channel: index },
      pin,
    );
  }

  /** The position of the strongest value of the first convolution, or else of the last layer. */
  findStrongest() {
    const { layers } = this.model;
    const first = layers.findIndex(isConvolution);
    const position = first < 0 ? layers.length - 1 : first;
    const values = this.result.outputs.get(layers[position].name);
    let best = 0;
    for (let at = 1; at < values.length; at++)
      if (Math.abs(values[at]) > Math.abs(values[best])) best = at;
    return this.#place(position, best);
  }

  /** Select a map's strongest value. */
  #pick(position, channel, image, pin = false) {
    if (!this.result) return;
    const { name, output_shape: shape } = this.model.layers[position];
    const values = this.result.outputs.get(name);
    const step = image ? shape[2] : 1;
    let best = image ? channel : 0;
    for (let at = best; at < values.length; at += step)
      if (Math.abs(values[at]) > Math.abs(values[best])) best = at;
    this.onselect(this.#place(position, best), pin);
  }

  #place(position, index) {
    const shape = this.model.layers[position].output_shape;
    if (!isImage(shape)) return { position, row: 0, column: 0, channel: index };
    const [row, column, channel] = unflatten(index, shape);
    return { position, row, column, channel };
  }

  #press(event, position, channel, image) {
    const { tiles } = this.columns[position + 1];
    const across = image ? Math.ceil(tiles.length / ROWS_OF_TILES) : 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across }[event.key];
    if (!step) return;
    let next = tiles[channel + step];
    if (!next && Math.abs(step) === 1) {
      let at = position + step;
      while (this.columns[at + 1] && !this.columns[at + 1].tiles.length) at += step;
      next = at >= 0 ? this.columns[at + 1]?.tiles.at(step > 0 ? 0 : -1) : null;
    }
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}
