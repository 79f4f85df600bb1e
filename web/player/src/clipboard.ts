/** The device's clipboard, as far as a browser lets a page have it: on a paste, and while the page has the focus. */

import type { Contents } from "./copying.ts";
import type { ToWorker } from "./messages.ts";
import { FORMS, MAX_COPIED } from "./protocol.ts";

export class PageClipboard {
  readonly #post: (message: ToWorker) => void;
  /** What the browser did not take; it does after the next key or click. */
  #refused: Contents | null = null;
  /** The text that came from the session last. */
  #text: string | null = null;
  #wanted = false;

  constructor(post: (message: ToWorker) => void, signal: AbortSignal) {
    this.#post = post;
    const look = () => this.#look();
    addEventListener("focus", look, { signal });
    addEventListener("blur", look, { signal });
    document.addEventListener("visibilitychange", look, { signal });
    const gesture = () => this.#refused && void this.#write(this.#refused);
    addEventListener("keyup", gesture, { signal });
    addEventListener("pointerup", gesture, { signal });
    this.#look();
  }

  /** The person pastes into the session. */
  paste(data: DataTransfer): void {
    const contents = contentsOf(data);
    const text = data.getData("text/plain");
    // What came from the session it has itself, and in forms of which a browser knows nothing.
    if (Object.keys(contents).length > 0 && !(text !== "" && text === this.#text)) {
      this.#text = null;
      this.#post({ type: "give", contents });
    }
  }

  /** Something was copied in the session. */
  copied(contents: Contents): void {
    void this.#write(contents);
  }

  #look(): void {
    const wanted = document.visibilityState === "visible" && document.hasFocus();
    if (wanted !== this.#wanted) {
      this.#wanted = wanted;
      this.#post({ type: "want", on: wanted });
    }
  }

  async #write(contents: Contents): Promise<void> {
    this.#refused = null;
    const text = (await contents["text/plain"]?.text()) ?? null;
    try {
      await navigator.clipboard.write([new ClipboardItem(contents as Record<string, Blob>)]);
      this.#text = text;
    } catch {
      this.#refused = contents;
    }
  }
}

/** What is pasted, without the forms that would make it too large. */
function contentsOf(data: DataTransfer): Contents {
  const picture = [...data.files].find((file) => file.type === "image/png");
  const contents: Contents = {};
  let room = MAX_COPIED;
  for (const form of FORMS) {
    const content = form === "image/png" ? picture : new Blob([data.getData(form)], { type: form });
    if (content && content.size > 0 && content.size <= room) {
      contents[form] = content;
      room -= content.size;
    }
  }
  return contents;
}
