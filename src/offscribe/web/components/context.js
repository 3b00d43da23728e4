// @ts-check
/** @import { App } from "../main.js" */
import { createContext, h } from "../lib/preact.js";
import { useContext, useEffect, useMemo, useRef } from "../lib/preact-hooks.js";
import htm from "../lib/htm.js";
import "../lib/signals.js"; // makes components follow the signals they read
import { Scope } from "../state/scope.js";
import { translator } from "../state/translate.js";

/** Markup as a tagged template. Values go in as text nodes or attributes, never as HTML. */
export const html = htm.bind(h);

export const AppContext = createContext(/** @type {App} */ (/** @type {unknown} */ (null)));

/** @returns {App} */
export const useApp = () => useContext(AppContext);

/** @returns {{ t: import("../state/translate.js").Translate, locale: string,
 *   catalogue: import("../state/translate.js").Catalogue }} */
export function useTexts() {
  const { catalogues, locale } = useApp();
  const current = locale.value;
  return useMemo(() => {
    const catalogue = catalogues[current];
    return { t: translator(catalogue, current), locale: current, catalogue };
  }, [current]);
}

/** @returns {Scope} one that ends when the component leaves the page */
export function useScope() {
  const scope = useRef(/** @type {Scope | null} */ (null));
  scope.current ??= new Scope();
  useEffect(() => () => scope.current?.end(), []);
  return scope.current;
}
