// @ts-check
/** @import { Route } from "../state/route.js" */
/** @import { System } from "../types.js" */
import { useEffect, useRef } from "../lib/preact-hooks.js";
import { THEMES } from "../state/preferences.js";
import { LOCALES } from "../state/translate.js";
import { html, useApp, useTexts } from "../components/context.js";
import { Icon } from "../components/icon.js";
import { Link } from "../components/link.js";
import { Notices } from "../components/notices.js";
import { History } from "./history.js";
import { Record } from "./record.js";
import { Transcribe } from "./transcribe.js";

/** The modules of the page: a new one is one line here and its view. */
const MODULES = [
  { view: "transcribe", icon: "transcribe", route: { view: "transcribe" } },
  { view: "history", icon: "history", route: { view: "history", query: "" } },
];

/** The frame around every view: rail, header, connection banner, notices. */
export function Frame() {
  const app = useApp();
  const { t } = useTexts();
  const route = app.route.value;
  return html`
    <a class="skip" href="#main">${t("frame.skip")}</a>
    <div class="frame">
      <${Rail} route=${route} />
      <${Header} />
      <main class="main" id="main" tabindex="-1">
        <${ConnectionBanner} />
        <${View} route=${route} />
      </main>
    </div>
    <${Notices} />
  `;
}

/** @param {{ route: Route }} props */
function View({ route }) {
  const { t } = useTexts();
  const isFirst = useRef(true);
  useEffect(() => {
    document.title = `${t(`title.${route.view}`)} · Offscribe`;
  }, [route.view, t]);
  useEffect(() => {
    // Where the view changes, so does what a screen reader should read next.
    if (!isFirst.current) document.querySelector("h1")?.focus({ preventScroll: true });
    isFirst.current = false;
  }, [route.view]);
  switch (route.view) {
    case "transcribe":
      return html`<${Transcribe} />`;
    case "history":
      return html`<${History} query=${route.query} />`;
    case "record":
      return html`<${Record} key=${route.id} ...${route} />`;
    default:
      return html`<${Lost} />`;
  }
}

function Lost() {
  const { t } = useTexts();
  return html`<div class="empty">
    <h1 tabindex="-1">${t("lost.title")}</h1>
    <p>${t("lost.text")}</p>
    <${Link} to=${{ view: "transcribe" }} class="button primary">${t("nav.transcribe")}<//>
  </div>`;
}

/** @param {{ route: Route }} props */
function Rail({ route }) {
  const { t } = useTexts();
  const here = route.view === "record" ? "history" : route.view;
  return html`<nav class="rail" aria-label=${t("frame.modules")}>
    <div class="brand"><span class="brand-mark"><${Icon} name="mark" /></span><span class="brand-name">Offscribe</span></div>
    <ul>
      ${MODULES.map(
        ({ view, icon, route: to }) =>
          html`<li key=${view}>
            <${Link} to=${to} class="rail-link" current=${view === here}>
              <${Icon} name=${icon} /><span>${t(`nav.${view}`)}</span>
            <//>
          </li>`,
      )}
    </ul>
    <a class="rail-link rail-foot" href="/docs"><${Icon} name="code" /><span>${t("nav.api")}</span></a>
  </nav>`;
}

function Header() {
  const { system } = useApp();
  return html`<header class="header">
    <${OfflineBadge} system=${system.value} />
    <${ModelChip} system=${system.value} />
    <${Taste} />
  </header>`;
}

/** The promise of the house, kept in view: how often anything here tried to reach another machine.
 * @param {{ system: System | null }} props */
function OfflineBadge({ system }) {
  const { t } = useTexts();
  if (system === null) return html`<span class="badge is-unknown"><${Icon} name="shield" />${t("offline.asking")}</span>`;
  const { attempts, last } = system.outbound;
  if (attempts === 0) {
    return html`<span class="badge is-safe" title=${t("offline.explained")}><${Icon} name="shield" />${t("offline.safe", { count: 0 })}</span>`;
  }
  return html`<span class="badge is-alarm" role="alert">
    <${Icon} name="warning" />
    <span>${t("offline.refused", { count: attempts })}${last && html` <span class="badge-target" dir="ltr">${last}</span>`}</span>
  </span>`;
}

/** @param {{ system: System | null }} props */
function ModelChip({ system }) {
  const { t } = useTexts();
  if (system === null) return null;
  const { model, device, worker } = system;
  const state = ["idle", "busy", "starting"].includes(worker.state) ? worker.state : "down";
  return html`<dl class="chip">
    <div>
      <dt class="offscreen">${t("model.label")}</dt>
      <dd class="chip-model"><span class="dot is-${state}" aria-hidden="true"></span>${model.title}</dd>
    </div>
    <div class="chip-more">
      <dt class="offscreen">${t("model.worker")}</dt>
      <dd>${t(model.installed ? `worker.${state}` : "model.not_installed")}</dd>
    </div>
    ${device &&
    html`<div class="chip-more">
      <dt class="offscreen">${t("model.device")}</dt>
      <dd title=${device.reason}>${device.device.toUpperCase()}${device.reason && html` <span class="chip-reason" lang="en">(${device.reason})</span>`}</dd>
    </div>`}
  </dl>`;
}

function Taste() {
  const app = useApp();
  const { t } = useTexts();
  return html`<div class="taste">
    <label class="pick">
      <${Icon} name="globe" /><span class="offscreen">${t("taste.language")}</span>
      <select value=${app.locale.value} onChange=${(/** @type {any} */ event) => app.chooseLocale(event.target.value)}>
        ${LOCALES.map((locale) => html`<option key=${locale} value=${locale} lang=${locale}>${app.catalogues[locale]["locale.name"]}</option>`)}
      </select>
    </label>
    <label class="pick">
      <${Icon} name="theme" /><span class="offscreen">${t("taste.theme")}</span>
      <select value=${app.theme.value} onChange=${(/** @type {any} */ event) => app.chooseTheme(event.target.value)}>
        ${THEMES.map((theme) => html`<option key=${theme} value=${theme}>${t(`theme.${theme}`)}</option>`)}
      </select>
    </label>
  </div>`;
}

function ConnectionBanner() {
  const { connection } = useApp();
  const { t } = useTexts();
  if (connection.value.isReachable) return null;
  return html`<div class="banner" role="alert">
    <${Icon} name="plug" />
    <div><strong>${t("connection.lost")}</strong> ${t("connection.lost.hint")}</div>
  </div>`;
}
