import { ask } from "./model.js";

const PAUSE = 200;

/** Asks the server whether the newest image looks like none of the classes, once it stays. */
export class UnlikeFlag {
  constructor(place) {
    this.place = place;
    this.number = 0;
  }

  /** Ask about an image; an answer that comes after the next image is dropped. */
  judge(address, pixels) {
    const mine = ++this.number;
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const body = new Blob([pixels]);
      const options = {
        method: "POST",
        headers: { "Content-Type": "application/octet-stream" },
        body,
      };
      // Without an answer, nothing is claimed.
      const found = await ask(`${address}/unlike`, options).catch(() => ({ is_unlike: false }));
      if (mine === this.number) this.place.hidden = !found.is_unlike;
    }, PAUSE);
  }
}
