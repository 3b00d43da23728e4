// @ts-check
/** @import { Route } from "../state/route.js" */
import { addressOf } from "../state/route.js";
import { html, useApp } from "./context.js";

/**
 * A link inside the page. A plain click stays in the page; any other (a new tab, say) is the
 * browser's.
 *
 * @param {{ to: Route, class?: string, current?: boolean, label?: string, children?: any }} props
 */
export function Link({ to, current, label, children, ...rest }) {
  const app = useApp();
  const follow = (/** @type {MouseEvent} */ event) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    app.go(to);
  };
  return html`<a
    ...${rest}
    href=${addressOf(to)}
    onClick=${follow}
    aria-current=${current ? "page" : undefined}
    aria-label=${label}
    >${children}</a
  >`;
}
