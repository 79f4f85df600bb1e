/** From the browser's events to what the session is told. Pure: what the events are read from is passed in. */

import type { Deed } from "./protocol.ts";

/** The part of a `KeyboardEvent` that is used. */
export type Keystroke = Pick<KeyboardEvent, "code" | "key" | "location" | "repeat" | "isComposing"> & {
  getModifierState(key: string): boolean;
};

/** The bits of `modifiers`, in the order of the session protocol. */
const MODIFIERS = ["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "NumLock"] as const;

export function modifiers(event: Pick<Keystroke, "getModifierState">): number {
  return MODIFIERS.reduce((bits, name, index) => bits | (event.getModifierState(name) ? 1 << index : 0), 0);
}

/** What the browser keeps to itself: full screen and its developer tools. */
export function isBrowsers(event: Keystroke): boolean {
  const [control, shift] = [event.getModifierState("Control"), event.getModifierState("Shift")];
  return event.code === "F11" || event.code === "F12" || (control && shift && ["KeyI", "KeyJ"].includes(event.code));
}

/** The keys by which browsers paste: Control or Meta with V, and Shift with Insert. */
export function isPaste(event: Keystroke): boolean {
  const holds = (name: string) => event.getModifierState(name);
  return event.code === "Insert"
    ? holds("Shift") && !holds("Control") && !holds("Alt")
    : event.key.toLowerCase() === "v" && (holds("Control") || holds("Meta")) && !holds("Alt");
}

/** Keys whose text the browser has yet to make: an input method's, a dead key's, a screen keyboard's. */
const MAKING = ["Process", "Dead", "Unidentified"];

/** Whether this stroke is a part of a text that comes as a text. */
export function isText(event: Pick<Keystroke, "key" | "isComposing">): boolean {
  return event.isComposing || MAKING.includes(event.key);
}

/** Keys held down, and what follows from that. */
export class Keyboard {
  readonly #held = new Set<string>();
  /** Control, Alt and Shift are held and nothing else was touched meanwhile. */
  #leaving = false;

  /**
   * What to tell the session of a key that went down; `null` for nothing. Repetition is the app's own
   * business, as on a real keyboard; what an input method is composing is not yet anything.
   */
  down(event: Keystroke): Deed | null {
    if (isText(event) || isBrowsers(event)) {
      return null;
    }
    this.#leaving = ["Control", "Alt", "Shift"].every((name) => event.getModifierState(name)) && isModifier(event.key);
    if (event.repeat) {
      return null;
    }
    this.#held.add(name(event));
    return key(event, true);
  }

  /** What to tell the session of a key that went up. */
  up(event: Keystroke): Deed | null {
    if (event.key === "Meta") {
      // While Meta is held, macOS reports no other key going up.
      return this.#held.size > 0 ? this.release() : null;
    }
    return this.#held.delete(name(event)) ? key(event, false) : null;
  }

  /** Control, Alt and Shift were pressed together, alone: the way out for those who have no pointer. */
  takeLeave(): boolean {
    const leaving = this.#leaving;
    this.#leaving = false;
    return leaving;
  }

  /** Everything goes up. */
  release(): Deed {
    this.#held.clear();
    this.#leaving = false;
    return { type: "release" };
  }
}

function isModifier(key: string): boolean {
  return (MODIFIERS as readonly string[]).includes(key);
}

/** A key without a code (a screen keyboard's) is known by what it makes. */
function name(event: Keystroke): string {
  return event.code || event.key;
}

function key(event: Keystroke, down: boolean): Deed {
  const { code, key, location } = event;
  return { type: "key", code, key, location, modifiers: modifiers(event), down };
}

/** `MouseEvent.buttons` bit by bit, as `MouseEvent.button` numbers them. */
const BUTTONS = [0, 2, 1, 3, 4];

/**
 * What changed between two values of `MouseEvent.buttons`. Browsers report a second button going down as
 * a movement, so the differences are looked at rather than the kind of event.
 */
export function buttons(before: number, now: number): Deed[] {
  return BUTTONS.flatMap((button, bit): Deed[] => {
    const down = (now & (1 << bit)) !== 0;
    return down === ((before & (1 << bit)) !== 0) ? [] : [{ type: "button", button, down }];
  });
}

const LINE = 16;

/** Wheel movement in pixels. */
export function wheel(event: Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode">, page: number): Deed {
  const unit = [1, LINE, page][event.deltaMode] ?? 1;
  return { type: "wheel", dx: event.deltaX * unit, dy: event.deltaY * unit };
}

/** A point of the window in pixels of the picture shown in `box`; never outside the picture. */
export function place(
  at: { clientX: number; clientY: number },
  box: { left: number; top: number; width: number; height: number },
  picture: { width: number; height: number },
): { x: number; y: number } {
  const along = (point: number, start: number, length: number, pixels: number) =>
    Math.min(Math.max(((point - start) / Math.max(length, 1)) * pixels, 0), Math.max(pixels - 1, 0));
  return {
    x: along(at.clientX, box.left, box.width, picture.width),
    y: along(at.clientY, box.top, box.height, picture.height),
  };
}

/** The longest text the gateway takes at once, in bytes of UTF-8. */
const MAX_TEXT = 4000;
/** In UTF-16 each unit becomes three bytes at most. */
const MAX_UNITS = Math.floor(MAX_TEXT / 3);

/** What is being composed, with the caret at its end. */
export function composing(preedit: string): Deed {
  const [shown = ""] = pieces(preedit);
  return { type: "text", commit: "", preedit: shown, preeditCaret: new TextEncoder().encode(shown).length };
}

/** A text that was composed, in as many pieces as it takes. */
export function texts(text: string): Deed[] {
  return pieces(text).map((commit) => ({ type: "text", commit, preedit: "", preeditCaret: 0 }));
}

/** Cut between characters. */
function pieces(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of text) {
    if (piece.length + character.length > MAX_UNITS) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  return piece ? [...pieces, piece] : pieces;
}

/** Which of the session's fingers is which of the browser's pointers. */
export class Fingers {
  readonly #down = new Map<number, number>();

  /** What to tell of a pointer that is a finger; `null` for one that is not down. */
  did(pointer: number, phase: "down" | "motion" | "up" | "cancel", at: { x: number; y: number }): Deed | null {
    if (phase === "down") {
      const taken = new Set(this.#down.values());
      this.#down.set(pointer, [...Array(taken.size + 1).keys()].find((id) => !taken.has(id)) ?? 0);
    }
    const id = this.#down.get(pointer);
    if (id === undefined) {
      return null;
    }
    if (phase === "cancel") {
      // The browser took the gesture for its own: that of all fingers.
      this.#down.clear();
    } else if (phase === "up") {
      this.#down.delete(pointer);
    }
    return { type: "touch", id, phase, ...at };
  }
}
