/** Listens to keyboard, pointer and wheel on a canvas and tells what was done. */

import { Keyboard, buttons, isBrowsers, isPaste, position, wheel } from "./deeds.ts";
import type { Deed } from "./protocol.ts";

/** A browser says what it pastes while it handles the key, or it never does. */
const PASTE_WAIT = 100;

export interface Owner {
  /** Something was done, `at` milliseconds after the page's time origin. */
  did(deed: Deed, at: number): void;
  /** The picture's size in its own pixels. */
  picture(): { width: number; height: number };
  /** The person pastes this. Keys that were pressed for it are told afterwards. */
  paste(data: DataTransfer): void;
  /** The person wants the keyboard back. */
  leave(): void;
}

/** Begins to listen; the answer stops it. */
export function listen(canvas: HTMLCanvasElement, owner: Owner): () => void {
  const stop = new AbortController();
  const on = <K extends keyof HTMLElementEventMap>(type: K, then: (event: HTMLElementEventMap[K]) => void) =>
    canvas.addEventListener(type, then, { signal: stop.signal, passive: false });

  const keyboard = new Keyboard();
  let held = 0;
  /** What was done since a key that pastes, until the browser has said what. */
  let heldBack: [Deed, number][] | null = null;
  let timer = 0;
  const did = (deed: Deed | null, event: Event) => {
    if (deed && heldBack) {
      heldBack.push([deed, event.timeStamp]);
    } else if (deed) {
      owner.did(deed, event.timeStamp);
    }
  };
  const goOn = () => {
    clearTimeout(timer);
    const waiting = heldBack ?? [];
    heldBack = null;
    waiting.forEach(([deed, at]) => owner.did(deed, at));
  };

  on("keydown", (event) => {
    const pastes = isPaste(event);
    if (pastes && heldBack === null) {
      heldBack = [];
      timer = setTimeout(goOn, PASTE_WAIT);
    }
    did(keyboard.down(event), event);
    if (!pastes && !isBrowsers(event)) {
      event.preventDefault();
    }
  });
  // Where nothing can be edited, browsers differ in what they say it to.
  const onPaste = (event: ClipboardEvent) => {
    if (document.activeElement === canvas && event.clipboardData) {
      event.preventDefault();
      owner.paste(event.clipboardData);
      goOn();
    }
  };
  document.addEventListener("paste", onPaste, { signal: stop.signal });
  on("keyup", (event) => {
    did(keyboard.up(event), event);
    if (keyboard.takeLeave()) {
      owner.leave();
    }
    event.preventDefault();
  });
  on("blur", (event) => {
    held = 0;
    did(keyboard.release(), event);
  });

  const pointer = (event: PointerEvent) => {
    did(position(event, canvas.getBoundingClientRect(), owner.picture()), event);
    for (const deed of buttons(held, event.buttons)) {
      did(deed, event);
    }
    held = event.buttons;
  };
  on("pointerdown", (event) => {
    canvas.focus({ preventScroll: true });
    // Dragging out of the window goes on as on a real desktop.
    canvas.setPointerCapture(event.pointerId);
    pointer(event);
    event.preventDefault();
  });
  on("pointermove", pointer);
  on("pointerup", pointer);
  on("pointercancel", pointer);
  on("contextmenu", (event) => event.preventDefault());
  on("wheel", (event) => {
    did(wheel(event, canvas.clientHeight), event);
    event.preventDefault();
  });
  return () => stop.abort();
}
