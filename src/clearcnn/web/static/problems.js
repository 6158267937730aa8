import { element } from "./element.js";
import { language, spoken } from "./language.js";
import ko from "./problems_ko.js";

// The server's messages are in English already.
const sentences = { ko };

/** Add the Korean sentences of a page's own errors, by code. */
export function addProblems(korean) {
  Object.assign(ko, korean);
}

/**
 * Tell a problem in the page's language, as parts of a paragraph.
 *
 * An error of the server has its English sentences as `message` and `remedy`, a `code` with the
 * `values` that stand in them, and a `status`; what this page raises itself has none of these.
 */
export function tellProblem({ message, remedy = "", code = "", values = {}, status = 0 }) {
  const own = sentences[language()];
  const english = [element("b", {}, message), " ", remedy];
  if (!own || (!code && !status)) return english;
  if (own[code]) {
    const [problem, advice] = own[code](values);
    return [element("b", {}, problem), " ", advice];
  }
  if (!spoken(message).lang) return english; // The server has translated it.
  const lead = own[`status_${status}`] ?? own.otherwise;
  return [element("b", {}, lead()[0]), " ", element("span", { lang: "en" }, message, " ", remedy)];
}
