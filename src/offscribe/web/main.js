// @ts-check
import { createClient } from "./api/client.js";
import { cancelJob, listJobs, uploadJob, watchJob } from "./api/jobs.js";
import { readSystem } from "./api/system.js";
import { effect, signal } from "./lib/signals.js";
import { h, render } from "./lib/preact.js";
import { CONNECTED, reduceConnection } from "./state/connection.js";
import { startHeartbeat } from "./state/heartbeat.js";
import { NO_NOTICES, reduceNotices } from "./state/notices.js";
import { effectiveTheme, keepPreference, readLocale, readTheme } from "./state/preferences.js";
import { addressOf, parseRoute } from "./state/route.js";
import { Scope } from "./state/scope.js";
import { createStore } from "./state/store.js";
import { NO_TASKS, reduceTasks } from "./state/tasks.js";
import { createTranscriber } from "./state/transcriber.js";
import { LOCALES } from "./state/translate.js";
import { AppContext } from "./components/context.js";
import { Frame } from "./views/frame.js";

/** @import { Route } from "./state/route.js" */
/** @import { System } from "./types.js" */

const storage = () => window.localStorage;

/** @param {Scope} scope @returns {Promise<Record<string, any>>} every catalogue, by locale */
async function loadCatalogues(scope) {
  const load = async (/** @type {string} */ locale) => {
    const answer = await fetch(new URL(`./i18n/${locale}.json`, import.meta.url), {
      signal: scope.signal,
    });
    if (!answer.ok) throw new Error(`catalogue ${locale}: HTTP ${answer.status}`);
    return [locale, await answer.json()];
  };
  return Object.fromEntries(await Promise.all(LOCALES.map(load)));
}

/** The router: the address bar is the state, this is its echo. */
function createRouter(/** @type {Scope} */ scope) {
  const here = () => parseRoute(location.pathname + location.search);
  const route = signal(here());
  scope.listen(window, "popstate", () => (route.value = here()));
  return {
    route,
    /** @param {Route} next */
    go(next) {
      history.pushState(null, "", addressOf(next));
      route.value = next;
      window.scrollTo(0, 0);
    },
    /** @param {Route} next the same place, told more exactly: no new step back */
    refine(next) {
      history.replaceState(history.state, "", addressOf(next));
      route.value = next;
    },
  };
}

function createTaste(/** @type {Scope} */ scope) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const prefersDark = signal(dark.matches);
  scope.listen(dark, "change", () => (prefersDark.value = dark.matches));
  const locale = signal(readLocale(storage, navigator.languages));
  const theme = signal(readTheme(storage));
  scope.own(
    effect(() => {
      document.documentElement.lang = locale.value;
      document.documentElement.dataset.theme = effectiveTheme(theme.value, prefersDark.value);
    }),
  );
  return {
    locale,
    theme,
    /** @param {string} value */
    chooseLocale(value) {
      locale.value = value;
      keepPreference(storage, "locale", value);
    },
    /** @param {import("./state/preferences.js").Theme} value */
    chooseTheme(value) {
      theme.value = value;
      keepPreference(storage, "theme", value);
    },
  };
}

/** @param {Scope} scope @param {Record<string, any>} catalogues */
function createApp(scope, catalogues) {
  const connection = createStore(reduceConnection, CONNECTED);
  const tasks = createStore(reduceTasks, NO_TASKS);
  const notices = createStore(reduceNotices, NO_NOTICES);
  const system = signal(/** @type {System | null} */ (null));
  const client = createClient({
    fetch: (path, init) => window.fetch(path, init),
    onReach: () => connection.dispatch("reached"),
    onLoss() {
      connection.dispatch("lost");
      hurry();
    },
  });
  let hurry = () => {};
  hurry = startHeartbeat({
    scope,
    read: (aborted) => readSystem(client, aborted),
    onSystem: (value) => (system.value = value),
  });
  const transcriber = createTranscriber({
    scope,
    dispatch: tasks.dispatch,
    list: (aborted) => listJobs(client, aborted),
    upload: (what) => uploadJob(client, what),
    watch: (id, way) => watchJob(client, id, way),
    cancel: (id) => cancelJob(client, id),
  });
  return {
    scope,
    catalogues,
    client,
    connection,
    tasks,
    notices,
    system,
    transcriber,
    ...createRouter(scope),
    ...createTaste(scope),
  };
}

/** @typedef {ReturnType<typeof createApp>} App */

/** The texts, also where the server goes away in the middle of the first load. */
async function awaitCatalogues(/** @type {Scope} */ scope) {
  for (;;) {
    try {
      return await loadCatalogues(scope);
    } catch (error) {
      console.warn("texts could not be loaded, trying again", error);
      await scope.sleep(2000);
    }
  }
}

const scope = new Scope();
const app = createApp(scope, await awaitCatalogues(scope));
const root = /** @type {HTMLElement} */ (document.getElementById("app"));
root.replaceChildren();
render(h(AppContext.Provider, { value: app, children: h(Frame, {}) }), root);
