const LONGEST_SIDE = 640;
const SMALLEST = 0.15;

/**
 * An image in full, with the part of it that the model gets: all of it, or a frame of the model's
 * shape. Drag the frame, or focus it: arrows move it, + and − resize it.
 */
export class Crop {
  constructor(view, { onchange }) {
    Object.assign(this, { view, onchange, whole: true, scale: 1, x: 0.5, y: 0.5 });
    view.onpointerdown = (event) => this.#begin(event);
    view.onpointermove = (event) => this.held && this.#drag(event);
    view.onpointerup = view.onpointercancel = () => (this.held = null);
    view.onkeydown = (event) => this.#press(event);
  }

  /**
   * Show an image.
   *
   * @param source a canvas, ImageBitmap or video
   * @param size its [width, height] in pixels
   * @param aspect the model's width divided by its height
   */
  show(source, [width, height], aspect) {
    Object.assign(this, { source, width, height, aspect });
    const zoom = LONGEST_SIDE / Math.max(width, height);
    const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side * zoom)));
    if (this.view.width !== across || this.view.height !== down)
      Object.assign(this.view, { width: across, height: down });
    this.view.style.aspectRatio = `${across} / ${down}`;
    this.view.classList.toggle("small", zoom > 4);
    this.#stayInside();
    this.paint();
  }

  /** Take all of the image, or a frame; `scale` is relative to the largest frame. */
  set({ whole = this.whole, scale = this.scale, x = this.x, y = this.y }) {
    Object.assign(this, { whole, x, y, scale: Math.min(1, Math.max(SMALLEST, scale)) });
    this.#stayInside();
    this.view.classList.toggle("framed", !whole);
    if (this.source) this.paint();
  }

  /** The part that the model gets, in whole pixels of the image. */
  get region() {
    if (this.whole) return { left: 0, top: 0, width: this.width, height: this.height };
    const [width, height] = this.#frame().map((side) => Math.max(1, Math.round(side)));
    const left = Math.round(this.x * this.width - width / 2);
    const top = Math.round(this.y * this.height - height / 2);
    return {
      left: Math.max(0, Math.min(this.width - width, left)),
      top: Math.max(0, Math.min(this.height - height, top)),
      width,
      height,
    };
  }

  paint() {
    const { view } = this;
    const sheet = view.getContext("2d");
    sheet.imageSmoothingEnabled = !view.classList.contains("small");
    sheet.imageSmoothingQuality = "high";
    sheet.fillStyle = "#fff";
    sheet.fillRect(0, 0, view.width, view.height);
    sheet.drawImage(this.source, 0, 0, view.width, view.height);
    if (this.whole) return;
    const zoom = view.width / this.width;
    const { left, top, width, height } = this.region;
    const box = [left, top, width, height].map((value) => value * zoom);
    sheet.fillStyle = "rgb(0 0 0 / 55%)";
    sheet.beginPath();
    sheet.rect(0, 0, view.width, view.height);
    sheet.rect(...box);
    sheet.fill("evenodd");
    // Two colours, of which one is seen on any image.
    for (const [colour, line] of [
      ["#000", 6],
      ["#fff", 3],
    ]) {
      sheet.strokeStyle = colour;
      sheet.lineWidth = line;
      sheet.strokeRect(...box);
    }
  }

  /** The frame's width and height in pixels of the image, not rounded. */
  #frame() {
    const width = Math.min(this.width, this.height * this.aspect) * this.scale;
    return [width, width / this.aspect];
  }

  #stayInside() {
    if (!this.source) return;
    const [width, height] = this.#frame();
    const clamp = (at, side, all) => Math.min(1 - side / all / 2, Math.max(side / all / 2, at));
    this.x = clamp(this.x, width, this.width);
    this.y = clamp(this.y, height, this.height);
  }

  #move(x, y, more = {}) {
    this.set({ x: this.x + x, y: this.y + y, ...more });
    this.onchange();
  }

  #begin(event) {
    if (this.whole || event.button > 0) return;
    this.view.setPointerCapture(event.pointerId);
    this.held = [event.clientX, event.clientY];
  }

  #drag(event) {
    const box = this.view.getBoundingClientRect();
    const [x, y] = this.held;
    this.held = [event.clientX, event.clientY];
    this.#move((event.clientX - x) / box.width, (event.clientY - y) / box.height);
  }

  #press(event) {
    if (this.whole || !this.source) return;
    const step = event.shiftKey ? 0.1 : 0.02;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const sizes = { "+": 1.1, "=": 1.1, "-": 1 / 1.1, _: 1 / 1.1 };
    if (event.key in ways) this.#move(...ways[event.key].map((way) => way * step));
    else if (event.key in sizes) this.#move(0, 0, { scale: this.scale * sizes[event.key] });
    else return;
    event.preventDefault();
  }
}
