import { post } from "../ask.js";

const AT_ONCE = 48;
const REQUESTS = 2;
const AGAIN_MILLISECONDS = 1000;
const AHEAD = "1500px 0px";

/**
 * Thumbnails of the sheet, asked for in batches before they come into sight: a request for each
 * picture would take longer than the picture.
 *
 * `onmissing` gets an item whose picture cannot be read.
 */
export class Thumbnails {
  constructor(onmissing) {
    Object.assign(this, { onmissing, wanted: new Map(), running: 0 });
    this.observer = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: AHEAD });
  }

  /** Load the picture of an item, in its `dataset`, when it comes near. */
  watch(item) {
    this.observer.observe(item);
  }

  #see(entries) {
    for (const { target, isIntersecting } of entries)
      if (isIntersecting) this.wanted.set(target, target.dataset.picture);
      else this.wanted.delete(target); // Scrolled past before its turn.
    for (let k = this.running; k < REQUESTS; k++) this.#work();
  }

  async #work() {
    this.running += 1;
    let batch = [];
    try {
      while (this.wanted.size) {
        batch = [...this.wanted].slice(0, AT_ONCE);
        for (const [item] of batch) this.wanted.delete(item);
        const found = await post("studio/thumbnails", { pictures: batch.map(([, name]) => name) });
        for (const [item, name] of batch) this.#show(item, found[name]);
      }
    } catch {
      // The server is away, which the page says.
      setTimeout(() => batch.forEach(([item]) => this.#watchAgain(item)), AGAIN_MILLISECONDS);
    } finally {
      this.running -= 1;
    }
  }

  /** Being observed anew, an item that is near is asked for again. */
  #watchAgain(item) {
    this.observer.unobserve(item);
    this.observer.observe(item);
  }

  #show(item, address) {
    if (address === undefined) return; // Moved meanwhile: the next refresh takes the item away.
    this.observer.unobserve(item);
    if (address) item.querySelector("img").src = address;
    else this.onmissing(item);
  }
}
