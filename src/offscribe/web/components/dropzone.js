// @ts-check
import { useEffect, useRef, useState } from "../lib/preact-hooks.js";
import { fileSize } from "../state/format.js";
import { html, useApp, useScope, useTexts } from "./context.js";
import { Icon } from "./icon.js";
import { notify } from "./notices.js";

/**
 * Where recordings are dropped or chosen. The whole window takes a drop, so that a near miss does
 * not make the browser open the file instead.
 *
 * @param {{ files: readonly File[], onAdd: (files: File[]) => void, onRemove: (file: File) => void,
 *   children?: any }} props
 */
export function DropZone({ files, onAdd, onRemove, children }) {
  const { t } = useTexts();
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const isOver = useDrop(onAdd);
  const choose = () => {
    const element = input.current;
    if (element === null) return;
    onAdd([...(element.files ?? [])]);
    element.value = ""; // so that the same file can be chosen again
  };
  return html`<div class="dropzone ${isOver ? "is-over" : ""} ${files.length > 0 ? "has-files" : ""}">
    <div class="dropzone-call">
      <span class="dropzone-mark"><${Icon} name="upload" /></span>
      <p class="dropzone-title">${t("drop.title")}</p>
      <p class="dropzone-note">${t("drop.formats")}</p>
      <label class="button file-button">
        ${files.length > 0 ? t("drop.more") : t("drop.choose")}
        <input type="file" multiple accept="audio/*,video/*" ref=${input} onChange=${choose} />
      </label>
    </div>
    ${files.length > 0 ? html`<${Chosen} files=${files} onRemove=${onRemove} />` : children}
  </div>`;
}

/** @param {{ files: readonly File[], onRemove: (file: File) => void }} props */
function Chosen({ files, onRemove }) {
  const { t, locale } = useTexts();
  return html`<ul class="chosen" aria-label=${t("drop.chosen", { count: files.length })}>
    ${files.map(
      (file, at) =>
        html`<li key=${`${at} ${file.name}`}>
          <${Icon} name="file" />
          <bdi class="chosen-name">${file.name}</bdi>
          <span class="chosen-size">${fileSize(file.size, locale)}</span>
          <button
            type="button"
            class="button icon-only"
            aria-label=${t("drop.remove", { name: file.name })}
            onClick=${() => onRemove(file)}
          >
            <${Icon} name="close" />
          </button>
        </li>`,
    )}
  </ul>`;
}

/** @param {(files: File[]) => void} onAdd @returns {boolean} whether files are held over the page */
function useDrop(onAdd) {
  const app = useApp();
  const scope = useScope();
  const [depth, setDepth] = useState(0);
  const take = useRef(onAdd);
  take.current = onAdd;
  useEffect(() => {
    const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
    scope.listen(window, "dragenter", (event) => hasFiles(event) && setDepth((n) => n + 1));
    scope.listen(window, "dragleave", (event) => hasFiles(event) && setDepth((n) => Math.max(0, n - 1)));
    scope.listen(window, "dragover", (event) => hasFiles(event) && event.preventDefault());
    scope.listen(window, "drop", (/** @type {DragEvent} */ event) => {
      if (!hasFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      setDepth(0);
      const { files, folders } = sortDrop(event.dataTransfer);
      if (folders > 0) notify(app, "drop.folder");
      if (files.length > 0) take.current(files);
    });
  }, []);
  return depth > 0;
}

/** Files apart from folders, which a browser hands over as files that cannot be read.
 * @param {DataTransfer} transfer */
function sortDrop(transfer) {
  const isFolder = [...transfer.items].map((item) => item.webkitGetAsEntry?.()?.isDirectory === true);
  const files = [...transfer.files].filter((_, at) => !isFolder[at]);
  return { files, folders: isFolder.filter(Boolean).length };
}
