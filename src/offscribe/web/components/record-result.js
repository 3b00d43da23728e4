// @ts-check
/** @import { Problem, Transcript } from "../types.js" */
import { useEffect, useState } from "../lib/preact-hooks.js";
import { ApiError, isAbort } from "../api/client.js";
import { readRecord } from "../api/records.js";
import { Scope } from "../state/scope.js";
import { html, useApp, useTexts } from "./context.js";
import { ProblemNote } from "./problem.js";
import { Result } from "./result.js";

/**
 * @param {string} id
 * @returns {{ record: Transcript | null, problem: Problem | null }} both null while it is read; read
 *   again once the server is back
 */
export function useRecord(id) {
  const { client, connection } = useApp();
  const { returns } = connection.value;
  const [answer, setAnswer] = useState(
    /** @type {{ record: Transcript | null, problem: Problem | null }} */ ({ record: null, problem: null }),
  );
  useEffect(() => {
    const scope = new Scope();
    readRecord(client, id, scope.signal).then(
      (record) => setAnswer({ record, problem: null }),
      (error) => {
        if (isAbort(error)) return;
        if (!(error instanceof ApiError)) throw error;
        setAnswer((known) => ({ ...known, problem: known.record === null ? error.problem : null }));
      },
    );
    return () => scope.end();
  }, [id, returns]);
  return answer;
}

/** The result of a record, read by its id. @param {{ id: string }} props */
export function RecordResult({ id }) {
  const { t } = useTexts();
  const { record, problem } = useRecord(id);
  if (problem) return html`<${ProblemNote} problem=${problem} />`;
  if (record === null) return html`<p class="quiet-note" role="status">${t("loading")}</p>`;
  return html`<${Result} record=${record} />`;
}
