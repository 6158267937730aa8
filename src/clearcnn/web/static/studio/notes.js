import { t } from "../language.js";
import { percent } from "../numbers.js";

/** What was found about a picture, in words, the most serious first. */
export function tellNotes(notes) {
  return notes.map((note) =>
    t(`note_${note.kind}`, {
      of: note.of,
      reason: note.reason,
      suggestion: note.suggestion,
      share: note.confidence === undefined ? "" : percent(note.confidence, 0),
    }),
  );
}
