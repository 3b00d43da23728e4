// @ts-check
/** @import { Problem } from "../types.js" */
/** @import { Catalogue, Translate } from "./translate.js" */

/**
 * A problem in the reader's language. The server's own message is kept as detail, as it names the
 * file or value at fault; where the code is not in the catalogue it is all there is.
 *
 * @param {Problem} problem @param {Translate} t @param {Catalogue} catalogue
 * @returns {{ title: string, hint: string, detail: string }}
 */
export function explain(problem, t, catalogue) {
  const request = problem.request_id ? t("problem.request", { id: problem.request_id }) : "";
  const key = `problem.${problem.code}`;
  if (!(key in catalogue)) {
    return { title: problem.message, hint: problem.hint, detail: request };
  }
  const hint = `${key}.hint`;
  return {
    title: t(key),
    hint: hint in catalogue ? t(hint) : "",
    detail: [problem.message, request].filter((part) => part !== "").join(" · "),
  };
}
