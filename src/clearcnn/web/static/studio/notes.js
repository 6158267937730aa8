import { t } from "../language.js";
import { percent } from "../numbers.js";

/** What was found about a picture, in words, the most serious first. */
export const tellNotes = (notes, picture) => notes.map((note) => tell(note, picture));

/** A note in a few words, to stand below its picture. */
export const tellShort = (note, picture) => tell({ ...note, reason: undefined }, picture);

function tell({ kind, of = "", reason, suggestion, confidence }, picture) {
  if (kind === "unreadable") return reason ?? t("note_unreadable");
  const [name, other] = [picture, of].map((each) => each.slice(0, each.indexOf("/")));
  return t(`note_${kind}`, {
    of: name === other ? of.slice(of.indexOf("/") + 1) : of,
    suggestion,
    share: confidence === undefined ? "" : percent(confidence, 0),
  });
}
