import { element, find } from "../element.js";
import { t } from "../language.js";
import { grouped } from "../numbers.js";
import { tellNotes, tellShort } from "./notes.js";
import { Thumbnails } from "./thumbnails.js";

/**
 * The sheet of all pictures, class by class, to select, relabel and remove them.
 *
 * What is wrong with a picture stands below it. `onmove` gets pictures and a class, `onremove`
 * pictures.
 */
export class Sheet {
  constructor(folder, { onmove, onremove }) {
    Object.assign(this, { folder, onmove, onremove, place: find("sheet"), items: new Map() });
    Object.assign(this, { selected: new Set(), notes: {}, kind: null, current: null });
    this.unreadable = new Set(); // Seen when their thumbnails were asked for.
    this.thumbnails = new Thumbnails((item) => {
      this.unreadable.add(item.dataset.picture);
      this.#describe(item);
    });
    this.place.addEventListener("keydown", (event) => this.#press(event));
    this.place.addEventListener("click", (event) => this.#click(event));
    this.place.addEventListener("focusin", ({ target }) => {
      if (target.dataset.picture) this.#makeCurrent(target.dataset.picture);
    });
    find("move").onclick = () => this.#moveTo(find("move-to").value);
    find("remove").onclick = () => this.#removeChosen();
    find("unselect").onclick = () => this.#select([]);
  }

  /** Bring the sheet up to date with the folder; what stays is not made anew. */
  show() {
    const hadFocus = this.place.contains(document.activeElement);
    const lists = new Map([...this.place.children].map((each) => [each.dataset.name, each]));
    const wanted = new Set();
    const sections = this.folder.classes.map((each, k) => {
      const section = lists.get(each.name) ?? this.#makeSection(each.name);
      const items = this.#sort(each.pictures.map((file) => `${each.name}/${file}`))
        .map((picture) => (wanted.add(picture), this.#item(picture)));
      const list = section.querySelector("[role=listbox]");
      sync(list, items);
      list.setAttribute("aria-label", t("picturesOf", { name: each.name, pictures: t("countPictures", { count: items.length }) }));
      const key = k < 9 ? [element("kbd", {}, String(k + 1)), " "] : [];
      section
        .querySelector("h3")
        .replaceChildren(...key, each.name, ` · ${grouped(each.pictures.length)}`);
      section.hidden = Boolean(this.kind) && !items.length;
      section.querySelector(".empty").hidden = items.length > 0;
      section.querySelector(".empty").textContent = t("noPictures");
      return section;
    });
    sync(this.place, sections);
    this.place.classList.toggle("filtered", Boolean(this.kind));
    // Those that are only filtered out are kept, with their thumbnails.
    for (const picture of this.items.keys())
      if (!wanted.has(picture) && !this.folder.has(picture)) this.items.delete(picture);
    this.#select([...this.selected].filter((picture) => wanted.has(picture)));
    this.#offerClasses();
    if (!wanted.has(this.current)) this.#makeCurrent(wanted.values().next().value ?? null);
    // A picture that had the focus may be gone; the keyboard goes on beside it.
    if (hadFocus && !this.place.contains(document.activeElement))
      (this.items.get(this.current) ?? this.place).focus({ preventScroll: true });
  }

  /** Show what was found about pictures: picture → notes. */
  note(notes) {
    this.notes = notes;
    for (const item of this.items.values()) this.#describe(item);
    this.show();
  }

  /** Show only pictures with a note of some kind; "any" is of any kind, null are all pictures. */
  filter(kind) {
    if (kind === this.kind) return;
    this.kind = kind;
    this.show();
  }

  notesOf(picture) {
    const found = this.notes[picture] ?? [];
    const isKnown = found.some(({ kind }) => kind === "unreadable");
    return this.unreadable.has(picture) && !isKnown ? [{ kind: "unreadable" }, ...found] : found;
  }

  /** The pictures to show, the most suspect first. */
  #sort(pictures) {
    if (!this.kind) return pictures;
    const shown = pictures.filter((picture) =>
      this.notesOf(picture).some(({ kind }) => this.kind === "any" || kind === this.kind),
    );
    if (this.kind !== "suspect") return shown;
    const share = (picture) => this.notes[picture].find((n) => n.kind === "suspect").confidence;
    return shown.sort((one, other) => share(other) - share(one));
  }

  /** Go to a picture. */
  reveal(picture) {
    const item = this.items.get(picture);
    item?.scrollIntoView({ block: "center" });
    item?.focus();
  }

  #makeSection(name) {
    return element(
      "section.class",
      { dataset: { name } },
      element("h3"),
      element("p.note.empty"),
      element("div.pictures", { role: "listbox", "aria-multiselectable": "true" }),
    );
  }

  #item(picture) {
    const known = this.items.get(picture);
    if (known) return known;
    const item = element(
      "div.picture",
      {
        role: "option",
        tabindex: "-1",
        dataset: { picture },
        "aria-selected": String(this.selected.has(picture)),
      },
      element("img", { alt: "", decoding: "async" }),
    );
    this.unreadable.delete(picture); // Of another file that had this name before.
    this.#describe(item);
    this.items.set(picture, item);
    this.thumbnails.watch(item);
    return item;
  }

  /** Say what was found about a picture, below it; the whole when it is pointed at. */
  #describe(item) {
    const { picture } = item.dataset;
    const notes = this.notesOf(picture);
    const told = [picture.slice(picture.indexOf("/") + 1), ...tellNotes(notes, picture)];
    item.title = told.join("\n");
    item.setAttribute("aria-label", told.join(", "));
    item.classList.toggle("noted", notes.length > 0);
    item.classList.toggle("suspect", notes[0]?.kind === "suspect");
    item.classList.toggle("unreadable", notes[0]?.kind === "unreadable");
    item.querySelector(".why")?.remove();
    if (notes.length)
      item.append(element("span.why", { "aria-hidden": "true" }, tellShort(notes[0], picture)));
  }

  #makeCurrent(picture) {
    this.items.get(this.current)?.setAttribute("tabindex", "-1");
    this.current = picture;
    this.items.get(picture)?.setAttribute("tabindex", "0");
  }

  #click(event) {
    const item = event.target.closest("[data-picture]");
    if (!item) return;
    item.focus();
    if (event.shiftKey) this.#extend(item);
    else this.#toggle(item.dataset.picture);
    this.anchor = item;
  }

  #extend(item) {
    const all = [...this.items.values()].filter((each) => each.isConnected);
    const order = [...this.place.querySelectorAll("[data-picture]")];
    const from = order.indexOf(all.includes(this.anchor) ? this.anchor : item);
    const to = order.indexOf(item);
    const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#select([...this.selected, ...range.map((each) => each.dataset.picture)]);
  }

  #toggle(picture) {
    const chosen = new Set(this.selected);
    if (!chosen.delete(picture)) chosen.add(picture);
    this.#select([...chosen]);
  }

  #select(pictures) {
    const before = this.selected;
    this.selected = new Set(pictures);
    for (const picture of new Set([...before, ...pictures]))
      this.items
        .get(picture)
        ?.setAttribute("aria-selected", String(this.selected.has(picture)));
    find("toolbar").hidden = !this.selected.size;
    find("selection").textContent = t("chosen", { count: grouped(this.selected.size) });
  }

  #offerClasses() {
    const chosen = find("move-to").value;
    const names = this.folder.classes.map(({ name }) => name);
    find("move-to").replaceChildren(
      ...names.map((name) => element("option", { value: name, selected: name === chosen }, name)),
    );
  }

  #press(event) {
    const item = event.target.closest("[data-picture]");
    if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const number = /^[1-9]$/.test(key) ? Number(key) : 0;
    if (key.startsWith("Arrow") || key === "Home" || key === "End") this.#step(item, event);
    else if (key === " " || key === "Enter") this.#toggle(item.dataset.picture);
    else if (key === "Delete" || key === "Backspace") this.#removeChosen(item.dataset.picture);
    else if (key === "Escape") this.#select([]);
    else if (number && number <= this.folder.classes.length)
      this.#moveTo(this.folder.classes[number - 1].name, item.dataset.picture);
    else return;
    event.preventDefault();
  }

  /** Move the focus; with Shift, select what it passes. */
  #step(item, event) {
    const order = [...this.place.querySelectorAll("[data-picture]")];
    const at = order.indexOf(item);
    const { top, left } = item.getBoundingClientRect();
    const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    let next = order[at + ({ ArrowRight: 1, ArrowLeft: -1 }[event.key] ?? 0)];
    if (event.key === "Home") next = order[0];
    if (event.key === "End") next = order.at(-1);
    if (rows)
      for (let k = at + rows; order[k]; k += rows) {
        const box = order[k].getBoundingClientRect();
        if (Math.abs(box.top - top) > 4 && (rows > 0 ? box.left >= left - 4 : box.left <= left + 4)) {
          next = order[k];
          break;
        }
        next = order[k];
      }
    if (!next) return;
    if (event.shiftKey) this.#select([...this.selected, item.dataset.picture, next.dataset.picture]);
    next.focus();
  }

  #chosen(focused) {
    return this.selected.size ? [...this.selected] : focused ? [focused] : [];
  }

  async #moveTo(name, focused = null) {
    const chosen = this.#chosen(focused);
    const next = this.#after(chosen);
    if (chosen.length) await this.onmove(chosen, name);
    if (focused) this.reveal(next);
  }

  async #removeChosen(focused = null) {
    const chosen = this.#chosen(focused);
    const next = this.#after(chosen);
    if (chosen.length) await this.onremove(chosen);
    if (focused) this.reveal(next);
  }

  /** The picture that takes the focus when others go: the next one that stays. */
  #after(chosen) {
    const gone = new Set(chosen);
    const order = [...this.place.querySelectorAll("[data-picture]")].map((e) => e.dataset.picture);
    const at = order.indexOf(chosen.at(-1));
    return (
      order.slice(at).find((each) => !gone.has(each)) ??
      order.slice(0, Math.max(0, at)).findLast((each) => !gone.has(each))
    );
  }
}

/** Give a parent exactly these children in this order, moving as few as possible. */
function sync(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let next = parent.firstElementChild;
  for (const child of children) {
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
}
