import { ask, post } from "../ask.js";
import { element, find } from "../element.js";
import { t } from "../language.js";
import { grouped } from "../numbers.js";

/** The fifth step: what a run leaves, and what can be done with it, here and on the command line. */
export class Keep {
  constructor({ onfail }) {
    Object.assign(this, { onfail, attempts: [], result: null });
    find("kept").onchange = ({ target }) => this.open(target.value).catch(onfail);
  }

  async offer(attempts) {
    this.attempts = attempts;
    const latest = attempts.at(-1)?.run;
    const chosen = attempts.some(({ run }) => run === find("kept").value && this.chosen)
      ? find("kept").value
      : latest;
    find("kept").replaceChildren(
      ...[...attempts]
        .reverse()
        .map(({ run }) => element("option", { value: run, selected: run === chosen }, run)),
    );
    find("kept").parentElement.hidden = !attempts.length;
    if (chosen) await this.open(chosen);
    else find("keeping").replaceChildren(element("p.note", {}, t("noAttempts")));
  }

  async open(run) {
    this.chosen = run;
    if (this.result?.run !== run)
      this.result = await ask(`studio/attempts/${encodeURIComponent(run)}`);
    this.show();
  }

  show() {
    if (!this.result) return;
    const { run, folder, files, commands } = this.result;
    const address = (name) => `studio/runs/${encodeURIComponent(run)}/${name}`;
    const link = (name, key) =>
      element(
        "a.button",
        name.endsWith(".html")
          ? { href: address(name), target: "_blank" }
          : { href: address(name), download: `${run}-${name}` },
        t(key),
      );
    const size = (name) =>
      files[name] ? element("span.note", {}, t("kilobytes", { size: grouped(Math.ceil(files[name] / 1024)) })) : null;
    const row = (first, name, ...rest) => element("li", {}, first, element("code", {}, name), ...rest);
    find("keeping").replaceChildren(
      element(
        "ul.keeping",
        {},
        row(this.#copy(folder), folder, element("span.note", {}, t("theFolder"))),
        row(link("report.html", "openReport"), "report.html", size("report.html")),
        files["model.onnx"]
          ? row(link("model.onnx", "download"), "model.onnx", size("model.onnx"))
          : null,
        row(link("model.keras", "download"), "model.keras", size("model.keras")),
        row(
          element("button", { type: "button", onclick: () => this.#inside(run) }, t("lookInsideRun")),
          commands.serve,
          element("span.note", {}, t("serveTells")),
        ),
        ["predict", "explain", "evaluate", "export"].map((verb) =>
          row(this.#copy(commands[verb]), commands[verb], element("span.note", {}, t(`${verb}Tells`))),
        ),
      ),
    );
  }

  async #inside(run) {
    // Opened at once: a browser blocks windows that open long after the click.
    const opened = open("about:blank", "_blank");
    try {
      const { address } = await post(`studio/runs/${encodeURIComponent(run)}/inside`);
      if (opened) opened.location = new URL(address, location.href).href;
      else location.href = address;
    } catch (error) {
      opened?.close();
      this.onfail(error);
    }
  }

  #copy(text) {
    const button = element("button", { type: "button" }, t("copy"), element("span.away", {}, ` ${text}`));
    button.onclick = async () => {
      await navigator.clipboard?.writeText(text).catch(() => {});
      find("said").textContent = t("copiedIt");
      button.firstChild.textContent = t("copiedIt");
      setTimeout(() => (button.firstChild.textContent = t("copy")), 1500);
    };
    return button;
  }
}
