import { element } from "./element.js";
import { spoken, t } from "./language.js";

/**
 * Tell a problem, as parts of a paragraph.
 *
 * An error of the server has its sentences as `message` and `remedy`, in the page's language, and
 * a `status`; what this page raises itself has only a message. A refusal that was made before the
 * request was read is in English.
 */
export function tellProblem({ message, remedy = "", status = 0 }) {
  const { lang } = spoken(message);
  if (!lang || !status) return [element("b", {}, message), " ", remedy];
  const told = element("span", { lang }, message, " ", remedy);
  return [element("b", {}, t("serverSays")), " ", told];
}
