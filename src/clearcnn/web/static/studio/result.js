import { element } from "../element.js";
import { spoken, t } from "../language.js";
import { finePercent, grouped, percent } from "../numbers.js";
import { thumbnail } from "./folder.js";

const MOST_MISTAKES = 60;

/** The result of a run: the interval first, then where it is wrong, and what would help. */
export function showResult(result, onpicture) {
  const { test, data } = result;
  const { correct, total, interval } = test.score;
  const list = (title, sentences, kind = "ul") =>
    sentences.length
      ? [
          element("h3", {}, title),
          element(kind, {}, sentences.map((sentence) => element("li", spoken(sentence), sentence))),
        ]
      : [];
  return [
    element(
      "p.headline",
      {},
      t("resultInterval", { low: finePercent(interval.low), high: finePercent(interval.high) }),
    ),
    element(
      "p",
      {},
      t("resultScore", {
        share: finePercent(correct / total),
        correct: grouped(correct),
        total: grouped(total),
        train: grouped(data.train),
      }),
      " ",
      data.num_groups ? t("resultGroups", { groups: grouped(data.num_groups) }) : null,
    ),
    ...list(t("wouldHelp"), result.advice),
    ...list(t("warnings"), result.warnings),
    element("h3", {}, t("mistakes")),
    test.mistakes.length ? element("p.note", {}, t("mistakesTell")) : null,
    test.mistakes.length
      ? element("ul.mistakes", {}, test.mistakes.slice(0, MOST_MISTAKES).map((m, k) => mistake(m, () => onpicture(result, k))))
      : element("p.note", {}, t("noMistakes")),
    test.mistakes.length > MOST_MISTAKES
      ? element("p.note", {}, t("moreMistakes", { count: test.mistakes.length - MOST_MISTAKES }))
      : null,
    confusion(result),
    element(
      "p",
      {},
      element(
        "a",
        { href: `studio/runs/${encodeURIComponent(result.run)}/report.html`, target: "_blank" },
        t("wholeReport"),
      ),
    ),
  ].filter(Boolean);
}

function mistake({ name, label, prediction, confidence }, onclick) {
  const words = t("mistakeTells", { label, prediction, share: percent(confidence, 0) });
  const image = element("img", { src: thumbnail(name), alt: "", loading: "lazy" });
  image.onerror = () => image.replaceWith(element("span.gone", {}, t("movedSince")));
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", onclick, title: name, "aria-label": `${words}. ${name}` },
      image,
      element("span", { "aria-hidden": "true" }, label, element("b", {}, ` → ${prediction}`)),
    ),
  );
}

function confusion({ test, class_names: names }) {
  const most = Math.max(1, ...test.confusion.flat());
  const cell = (count, row, column) => {
    const made = element(row === column ? "td.num.right" : "td.num", {}, count ? grouped(count) : "·");
    made.style.setProperty("--share", count / most);
    return made;
  };
  return element(
    "div.scroll",
    { tabindex: "0", role: "region", "aria-label": t("confusion") },
    element(
      "table.confusion",
      {},
      element("caption", {}, t("confusionTells")),
      element(
        "thead",
        {},
        element(
          "tr",
          {},
          element("td"),
          names.map((name) => element("th", { scope: "col" }, name)),
          element("th", { scope: "col" }, t("recall")),
        ),
      ),
      element(
        "tbody",
        {},
        test.confusion.map((line, row) =>
          element(
            "tr",
            {},
            element("th", { scope: "row" }, names[row]),
            line.map((count, column) => cell(count, row, column)),
            element(
              "td.num",
              {},
              test.classes[row].recall === null ? "–" : percent(test.classes[row].recall, 0),
            ),
          ),
        ),
      ),
    ),
  );
}
