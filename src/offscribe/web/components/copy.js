// @ts-check

/**
 * Put *text* on the clipboard. Browsers give the clipboard only to secure origins; at another
 * machine's plain http address the old command is all there is.
 *
 * @param {string} text @returns {Promise<boolean>} whether it worked
 */
export async function copyText(text) {
  if (navigator.clipboard === undefined) return copyByCommand(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch (error) {
    if (error instanceof DOMException) return copyByCommand(text);
    throw error;
  }
}

/** @param {string} text @returns {boolean} */
function copyByCommand(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.className = "offscreen";
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return copied;
}
