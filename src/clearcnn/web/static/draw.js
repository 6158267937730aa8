const LONGEST_SIDE = 256;

/**
 * A pad to draw on with mouse, pen, finger or keyboard. Strokes are lists of [x, y].
 *
 * With the keyboard: arrows move a cross, the space bar lowers and lifts the pen, Backspace takes
 * back the last stroke, Delete clears.
 */
export class Pad {
  constructor(sheet, { shape: [height, width], polarity }, { onchange, onsay }) {
    const unit = LONGEST_SIDE / Math.max(height, width);
    this.size = [Math.round(width * unit), Math.round(height * unit)];
    this.pen = unit * (Math.max(height, width) <= 16 ? 1.25 : Math.max(height, width) / 12);
    this.light = polarity !== "dark_on_light";
    this.strokes = [];
    this.picture = null;
    this.sheet = sheet;
    this.hidden = new OffscreenCanvas(...this.size).getContext("2d", { willReadFrequently: true });
    this.onchange = onchange;
    this.onsay = onsay;
    this.cross = { x: this.size[0] / 2, y: this.size[1] / 2, down: false, seen: false };
    [sheet.width, sheet.height] = this.size.map((side) => 2 * side);
    sheet.style.aspectRatio = `${this.size[0]} / ${this.size[1]}`;
    sheet.onpointerdown = (event) => this.#begin(event);
    sheet.onpointermove = (event) => this.#go(event);
    sheet.onpointerup = sheet.onpointercancel = () => (this.drawing = false);
    sheet.onkeydown = (event) => this.#press(event);
    sheet.onblur = () => ((this.cross.seen = this.cross.down = false), this.repaint());
    this.repaint();
  }

  /** Show strokes, or an image (a canvas) instead. */
  set(strokes, picture = null) {
    this.strokes = strokes;
    this.picture = picture;
    this.repaint();
  }

  clear() {
    this.set([]);
    this.onchange(performance.now());
  }

  undo() {
    this.set(this.strokes.slice(0, -1));
    this.onchange(performance.now());
  }

  /** The strokes, moved by `place`, as RGBA levels of the pad's size. */
  render(place = (strokes) => strokes) {
    this.#paint(this.hidden, place(this.strokes), 1);
    const [width, height] = this.size;
    return this.hidden.getImageData(0, 0, width, height).data;
  }

  repaint() {
    const sheet = this.sheet.getContext("2d");
    this.#paint(sheet, this.strokes, 2);
    if (this.picture) {
      sheet.imageSmoothingEnabled = false;
      sheet.drawImage(this.picture, 0, 0, this.sheet.width, this.sheet.height);
    }
    if (this.cross.seen) this.#paintCross(sheet);
  }

  #paint(sheet, strokes, zoom) {
    const [width, height] = this.size;
    sheet.setTransform(zoom, 0, 0, zoom, 0, 0);
    sheet.fillStyle = this.light ? "#000" : "#fff";
    sheet.fillRect(0, 0, width, height);
    sheet.strokeStyle = this.light ? "#fff" : "#000";
    sheet.lineWidth = this.pen;
    sheet.lineCap = sheet.lineJoin = "round";
    for (const stroke of strokes) {
      sheet.beginPath();
      stroke.forEach(([x, y], k) => (k ? sheet.lineTo(x, y) : sheet.moveTo(x, y)));
      if (stroke.length === 1) sheet.lineTo(...stroke[0]);
      sheet.stroke();
    }
    sheet.setTransform(1, 0, 0, 1, 0, 0);
  }

  #paintCross(sheet) {
    const [x, y] = [2 * this.cross.x, 2 * this.cross.y];
    sheet.strokeStyle = this.cross.down ? "#f08a4b" : "#3fb8ae";
    sheet.lineWidth = 4;
    sheet.beginPath();
    sheet.arc(x, y, this.pen, 0, 7);
    sheet.moveTo(x - 14, y);
    sheet.lineTo(x + 14, y);
    sheet.moveTo(x, y - 14);
    sheet.lineTo(x, y + 14);
    sheet.stroke();
  }

  #place(event) {
    const box = this.sheet.getBoundingClientRect();
    return [
      Math.round(((event.clientX - box.left) / box.width) * this.size[0]),
      Math.round(((event.clientY - box.top) / box.height) * this.size[1]),
    ];
  }

  #start(point) {
    if (this.picture) this.set([]);
    this.strokes = [...this.strokes, [point]];
  }

  #begin(event) {
    if (event.button > 0) return;
    this.sheet.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.#start(this.#place(event));
    this.#tell(event.timeStamp);
  }

  #go(event) {
    if (!this.drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event])
      this.strokes.at(-1).push(this.#place(each));
    this.#tell(event.timeStamp);
  }

  #press(event) {
    const [width, height] = this.size;
    const step = event.shiftKey ? 32 : 8;
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const cross = this.cross;
    if (event.key in ways) {
      const [dx, dy] = ways[event.key];
      cross.x = Math.min(width, Math.max(0, cross.x + dx * step));
      cross.y = Math.min(height, Math.max(0, cross.y + dy * step));
      if (cross.down) this.strokes.at(-1).push([cross.x, cross.y]);
    } else if (event.key === " " || event.key === "Enter") {
      cross.down = !cross.down;
      if (cross.down) this.#start([cross.x, cross.y]);
      this.onsay(cross.down ? "penDown" : "penUp");
    } else if (event.key === "Backspace") return this.undo();
    else if (event.key === "Delete") return this.clear();
    else return;
    event.preventDefault();
    cross.seen = true;
    if (cross.down) this.#tell(event.timeStamp);
    else this.repaint();
  }

  #tell(since) {
    this.repaint();
    this.onchange(since);
  }
}

/** Strokes as bytes and back: each stroke's length in two bytes, then a byte for x and for y. */
export function packStrokes(strokes) {
  return Uint8Array.from(
    strokes.flatMap((stroke) => [
      stroke.length >> 8,
      stroke.length & 255,
      ...stroke.flat().map((value) => Math.min(255, Math.max(0, value))),
    ]),
  );
}

export function unpackStrokes(bytes) {
  const strokes = [];
  for (let at = 0; at + 1 < bytes.length;) {
    const length = bytes[at] * 256 + bytes[at + 1];
    const values = bytes.slice(at + 2, at + 2 + 2 * length);
    strokes.push(
      Array.from({ length: values.length >> 1 }, (_, k) => [values[2 * k], values[2 * k + 1]]),
    );
    at += 2 + 2 * length;
  }
  return strokes.filter((stroke) => stroke.length);
}
