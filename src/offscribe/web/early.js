// Runs before the first paint, so that neither a white flash nor the wrong language is seen.
// Kept in step with state/preferences.js, which a classic script cannot import.
(() => {
  const root = document.documentElement;
  let theme = null;
  try {
    theme = localStorage.getItem("offscribe.theme");
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = theme === "light" || theme === "dark" ? theme : dark ? "dark" : "light";
})();
