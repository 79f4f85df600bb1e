/** Listens to the keyboard of a field and to pointer, fingers and wheel on a canvas, and tells what was done. */

import { Fingers, Keyboard, buttons, isBrowsers, isPaste, isText, place, wheel } from "./deeds.ts";
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

/** Begins to listen, until `signal` says otherwise. */
export function listen(canvas: HTMLCanvasElement, field: HTMLElement, owner: Owner, signal: AbortSignal): void {
  type Map = HTMLElementEventMap;
  const at = (element: HTMLElement) => {
    return <K extends keyof Map>(type: K, then: (event: Map[K]) => void) =>
      element.addEventListener(type, then, { signal, passive: false });
  };
  const [on, onField] = [at(canvas), at(field)];

  const keyboard = new Keyboard();
  const fingers = new Fingers();
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

  onField("keydown", (event) => {
    const pastes = isPaste(event);
    if (pastes && heldBack === null) {
      heldBack = [];
      timer = setTimeout(goOn, PASTE_WAIT);
    }
    did(keyboard.down(event), event);
    if (!pastes && !isBrowsers(event) && !isText(event)) {
      event.preventDefault();
    }
  });
  onField("paste", (event) => {
    // None of it is for the field: what is pasted is offered to the session as it is.
    event.preventDefault();
    if (event.clipboardData) {
      owner.paste(event.clipboardData);
    }
    goOn();
  });
  onField("keyup", (event) => {
    did(keyboard.up(event), event);
    if (keyboard.takeLeave()) {
      owner.leave();
    }
    if (!isText(event)) {
      event.preventDefault();
    }
  });
  onField("blur", (event) => {
    held = 0;
    did(keyboard.release(), event);
  });

  const point = (event: PointerEvent) => place(event, canvas.getBoundingClientRect(), owner.picture());
  const finger = (event: PointerEvent, phase: "down" | "motion" | "up" | "cancel") =>
    did(fingers.did(event.pointerId, phase, point(event)), event);
  const pointer = (event: PointerEvent) => {
    did({ type: "motion", ...point(event) }, event);
    for (const deed of buttons(held, event.buttons)) {
      did(deed, event);
    }
    held = event.buttons;
  };
  /** Of one kind of event: what it is of a finger, or else of a pointer. */
  const either = (phase: "down" | "motion" | "up" | "cancel") => (event: PointerEvent) =>
    event.pointerType === "touch" ? finger(event, phase) : pointer(event);
  const down = either("down");
  on("pointerdown", (event) => {
    field.focus({ preventScroll: true });
    // Dragging out of the window goes on as on a real desktop.
    canvas.setPointerCapture(event.pointerId);
    down(event);
    event.preventDefault();
  });
  on("pointermove", either("motion"));
  on("pointerup", either("up"));
  on("pointercancel", either("cancel"));
  // For who comes by the keyboard, or by a program.
  on("focus", () => field.focus({ preventScroll: true }));
  on("contextmenu", (event) => event.preventDefault());
  on("wheel", (event) => {
    did(wheel(event, canvas.clientHeight), event);
    event.preventDefault();
  });
}
