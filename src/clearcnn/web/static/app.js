import { AnswerPanel } from "./answer_panel.js";
import { ask } from "./ask.js";
import { toBytes, toText } from "./base64.js";
import { CloseUp } from "./closeup.js";
import { onScheme } from "./colours.js";
import { Pad, packStrokes, unpackStrokes } from "./draw.js";
import { element, find } from "./element.js";
import { fitStrokes, measureFrame } from "./frame.js";
import { Gallery } from "./gallery.js";
import { listenToHeader } from "./header.js";
import { showInput } from "./input_view.js";
import { onLanguage, preferredLanguage, setLanguage, t } from "./language.js";
import { Model } from "./model.js";
import { Network } from "./network.js";
import { grouped, percent, percentRange } from "./numbers.js";
import { PhotoInput } from "./photo.js";
import * as picture from "./picture.js";
import { keep, read } from "./state.js";
import { Playground, listModels } from "./playground.js";

const MOST_SHARED_BYTES = 4096;

const network = new Network(find("network"), select);
const answer = new AnswerPanel();
const closeup = new CloseUp(
  find("closeup"),
  (at) => select(at, network.pinned),
  (from) => network.mark(closeup.at, from),
);
const photo = new PhotoInput({
  onimage: takePhoto,
  onproblem: refuse,
  onchange: arrange,
  onstop: () => clearInput(),
});
let name, description, contract, own, shown, fresh, pad, gallery, frame, playground;
// The model's pixels, the right class or null, and when the image came, or 0 if nobody waits for it.
let image = null;
let result = null,
  running = false,
  again = false,
  opening = 0;

/** Announce a text to screen readers. */
const say = (text) => (find("said").textContent = text);

const fail = (error) => answer.fail(error, `${t("failed")} `);

/** Run the models on the current image; while they run, only the latest image is kept. */
async function predict() {
  again = true;
  if (running || !shown || !image) return;
  running = true;
  try {
    while (again && shown && image) {
      again = false;
      const asked = image;
      const results = await runAll(asked.pixels);
      // The image may have been cleared meanwhile. The answer to an earlier one is shown too, so
      // that a stroke is followed, however slow the model is.
      if (results && image) showAll(results, asked);
    }
  } catch (error) {
    console.error(error);
    answer.fail(error);
  } finally {
    running = false;
  }
}

/** Run every model in use on an image; null if another model is chosen meanwhile. */
async function runAll(pixels) {
  const [mine, looked] = [own, shown];
  const results = new Map();
  for (const model of [looked, mine, fresh]) {
    if (model && !results.has(model)) results.set(model, await model.run(pixels));
    // A model that is no longer shown may have been released.
    if (mine !== own || looked !== shown) return null;
  }
  return results;
}

function showAll(results, asked) {
  result = results.get(shown);
  const mine = results.get(own).probabilities;
  answer.show(mine, asked);
  asked.since = 0;
  const live = photo.shown === "camera";
  answer.unlike.judge(`page/models/${encodeURIComponent(name)}`, asked.pixels, { live });
  find("inside").classList.remove("empty");
  network.show(result);
  closeup.show(shown, result, closeup.at ?? network.findStrongest());
  if (results.has(fresh)) playground.compare(mine, results.get(fresh).probabilities);
  document.body.dataset.ready = "true";
}

/** Show no prediction, but a text by its key; while a model loads, say that. */
function clearAnswer(key) {
  image = result = null;
  if (shown) answer.clear(key);
  else answer.clear("loading", { name });
  find("inside").classList.add("empty");
  closeup.stop();
  playground?.clear();
  if (shown) document.body.dataset.ready = "true";
}

/** Say why there is no image, instead of the prediction of the one before. */
function refuse({ kind = "broken", values = {} }, file) {
  clearInput();
  answer.refuse(`problem.${kind}`, { ...values, name: file });
}

function arrange(kind) {
  if (!description) return;
  const isEmpty = !(pad?.strokes.length || pad?.picture);
  showInput({ draws: description.is_drawing, kind, isEmpty });
}

function take(pixels, { of = null, from = 0 } = {}) {
  answer.accept();
  image = { pixels, label: of, since: from };
  picture.paint(pixels, contract, find("seen"));
  find("seen").parentElement.hidden = false;
  return predict();
}

function takeDrawing(from) {
  const place =
    find("fit").checked && frame
      ? (strokes) => fitStrokes(strokes, pad.pen, pad.size, frame)
      : undefined;
  const [width, height] = pad.size;
  const empty = !pad.strokes.length;
  if (empty) clearAnswer("drawFirst");
  else take(picture.fromRgba(pad.render(place), height, width, contract), { from });
  gallery.mark(null);
  find("polarity").hidden = true;
  arrange(photo.shown);
  keepImage(null);
  keep("strokes", empty ? null : toText(packStrokes(pad.strokes)));
}

/** Show an image of the model's size. */
function takeImage(values, { row = null, of = null, from = performance.now() } = {}) {
  const sheet = element("canvas");
  picture.paint(values, contract, sheet);
  if (description.is_drawing) {
    pad.set([], sheet);
    photo.close();
  } else photo.showSample(sheet);
  answer.unlike.clear();
  take(values, { of, from });
  gallery.mark(row);
  find("polarity").hidden = true;
  keepImage(row === null ? values : null, row);
}

/** Take the model's pixels of an image from elsewhere; `file` names a new one. */
function takePhoto(read, { live = false, name: file = null } = {}) {
  const opposite = picture.isInverted(read, contract);
  const values = opposite ? picture.invert(read, contract) : read;
  if (file !== null) answer.unlike.clear();
  const done = take(values, { from: performance.now() });
  find("inverted").hidden = !opposite;
  find("polarity").hidden = contract.polarity === "unknown" || (live && !opposite);
  find("invert").hidden = live;
  gallery.mark(null);
  if (live) return done;
  keepImage(values);
  if (file) say(t("pictureTaken", { name: file }));
  return done;
}

/** Keep the image in the URL: pixels, if they are few, or the row of a test image. */
function keepImage(values, row = null) {
  const bytes = values && new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  keep("strokes", null);
  keep("row", row);
  keep("pixels", bytes && bytes.length <= MOST_SHARED_BYTES ? toText(bytes) : null);
}

function clearInput() {
  photo.close();
  if (description.is_drawing) return pad.clear();
  keepImage(null);
  gallery.mark(null);
  clearAnswer("openFirst");
}

function select(at, pin) {
  if (!shown || !result) return;
  if (pin)
    network.pinned =
      !(network.pinned && same(at, closeup.at)) ||
      document.activeElement.closest?.("#closeup") !== null;
  if (!pin && network.pinned && !find("closeup").contains(document.activeElement)) return;
  closeup.show(shown, result, at);
  if (!closeup.place.querySelector(".stages .grid")) network.mark(at);
  find("pinned").hidden = !network.pinned;
  keep("at", [at.position, at.row, at.column, at.channel].join("."));
}

const same = (a, b) =>
  a && b && ["position", "row", "column", "channel"].every((key) => a[key] === b[key]);

/** Look inside a model, at the value in the URL, or else at the strongest one. */
function look(model) {
  shown = model;
  network.open(model);
  const given = (read("at") ?? "").split(".").map(Number);
  closeup.stop();
  closeup.from = null;
  closeup.at = null;
  if (given.length === 4 && given.every((part) => part >= 0)) {
    const [position, row, column, channel] = given;
    const shape = model.layers[position]?.output_shape ?? [0];
    const fits =
      shape.length === 3
        ? row < shape[0] && column < shape[1] && channel < shape[2]
        : channel < shape[0];
    if (fits) closeup.at = { position, row, column, channel };
  }
  find("shown").textContent = model === own ? "" : t("looksInside");
  find("look-back").hidden = model === own;
  predict();
}

/** Open a run; if several are chosen in a row, the latest is shown. */
async function open(wanted) {
  const mine = ++opening;
  try {
    await load(wanted, () => mine === opening);
  } catch (error) {
    if (mine === opening) throw error;
  }
}

async function load(wanted, isWanted) {
  name = wanted;
  keep("model", name);
  answer.accept();
  // Until the new model is loaded, the old one must not run on the new images.
  const old = own;
  shown = own = fresh = null;
  playground?.leave();
  old?.release();
  find("title").textContent = name;
  find("about").textContent = "\u00a0";
  description = contract = undefined;
  find("try").inert = true;
  photo.open(null);
  clearAnswer();
  network.pinned = false;
  find("pinned").hidden = true;
  delete document.body.dataset.ready;
  const address = `page/models/${encodeURIComponent(name)}`;
  const found = await ask(address);
  if (!isWanted()) return;
  description = found;
  contract = description.input;
  tellRun();
  photo.open(contract);
  const { turn } = photo;
  const loading = Model.load(
    address,
    description.network,
    contract,
    description.class_names,
    description.temperature,
  );
  answer.open(description.class_names);
  frame = null;
  pad = new Pad(find("pad"), contract, { onchange: takeDrawing, onsay: (key) => say(t(key)) });
  gallery = new Gallery(find("gallery"), contract, description.class_names, (chosen) =>
    takeImage(chosen.pixels, { row: chosen.row, of: chosen.label }),
  );
  find("fit").checked = description.is_drawing;
  const images = gallery
    .load(address, isWanted)
    .catch(() => {})
    .then(() => isWanted() && beginWithImage({ isFree: turn === photo.turn }));
  const [model] = await Promise.all([loading, images]);
  if (!isWanted()) {
    model.release();
    return;
  }
  own = model;
  find("try").inert = false;
  playground?.open(name, description);
  look(own);
  if (!image) clearAnswer(description.is_drawing ? "drawFirst" : "openFirst");
}

/** Show the drawing in the URL, or else a test image; neither over a file that was just opened. */
function beginWithImage({ isFree }) {
  if (description.is_drawing)
    frame = measureFrame(
      gallery.images.map((each) => each.pixels),
      contract,
    );
  if (!isFree) return;
  const row = read("row"),
    strokes = read("strokes"),
    shared = read("pixels");
  const chosen = gallery.images.find((each) => String(each.row) === row) ?? gallery.images[3];
  if (strokes && description.is_drawing) {
    pad.set(unpackStrokes(toBytes(strokes)));
    takeDrawing(0);
  } else if (shared) takeImage(picture.fromBytes(toBytes(shared), contract), { from: 0 });
  else if (chosen) {
    takeImage(chosen.pixels, { row: chosen.row, of: chosen.label, from: 0 });
    gallery.mark(chosen.row);
  } else clearInput();
}

function tellRun() {
  if (!description) return;
  const { accuracy, correct, total, interval } = description.test;
  find("title").textContent = name;
  find("about").textContent = t("about", {
    source: description.source,
    share: percent(accuracy),
    correct: grouped(correct),
    total: grouped(total),
    range: percentRange(interval.low, interval.high),
    parameters: grouped(description.network.parameters),
  });
}

function listen() {
  listenToHeader();
  find("clear").onclick = clearInput;
  find("undo").onclick = () => pad.undo();
  find("fit").onchange = () => pad.strokes.length && takeDrawing(performance.now());
  find("invert").onclick = () => {
    take(picture.invert(image.pixels, contract), { from: performance.now() });
    find("inverted").hidden = true;
  };
  for (const button of document.querySelectorAll("[data-jump]"))
    button.onclick = () => {
      find(button.dataset.jump).scrollIntoView();
      find(button.dataset.jump).focus({ preventScroll: true });
    };
  find("unpin").onclick = () => {
    network.pinned = false;
    find("pinned").hidden = true;
  };
  find("look-back").onclick = () => own && look(own);
  onScheme(() => predict());
  onLanguage(() => {
    tellRun();
    answer.retell();
    playground?.retell();
    gallery?.fill();
    if (shown) look(shown);
  });
}

async function begin() {
  setLanguage(read("lang") ?? preferredLanguage());
  listen();
  try {
    const { models, playground: trains } = await listModels();
    find("playground").hidden = !trains;
    document.querySelector("[data-jump=playground]").hidden = !trains;
    if (trains)
      playground = new Playground({
        onmodel: (model) => {
          fresh = model;
          if (model) predict();
        },
        onlook: (model) => {
          look(model);
          find("inside").scrollIntoView({ behavior: "smooth" });
        },
      });
    const wanted = models.includes(read("model")) ? read("model") : models[0];
    find("models").hidden = models.length < 2;
    find("models").replaceChildren(
      ...models.map((each) => element("option", { value: each, selected: each === wanted }, each)),
    );
    find("models").onchange = (event) => {
      ["row", "pixels", "strokes", "at", "layers"].forEach((key) => keep(key, null));
      open(event.target.value).catch(fail);
    };
    await open(wanted);
  } catch (error) {
    fail(error);
    throw error;
  }
}

begin();
