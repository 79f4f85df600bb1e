import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Fingers,
  Keyboard,
  buttons,
  composing,
  isBrowsers,
  isPaste,
  isText,
  modifiers,
  place,
  texts,
  wheel,
  type Keystroke,
} from "../src/deeds.ts";

function stroke(code: string, key: string, held: string[] = [], more: Partial<Keystroke> = {}): Keystroke {
  return {
    code,
    key,
    location: 0,
    repeat: false,
    isComposing: false,
    getModifierState: (name) => held.includes(name),
    ...more,
  };
}

test("a key goes down and up with its code, its key, its place and its modifiers", () => {
  const keyboard = new Keyboard();
  assert.deepEqual(keyboard.down(stroke("KeyA", "A", ["Shift", "NumLock"], { location: 3 })), {
    type: "key",
    code: "KeyA",
    key: "A",
    location: 3,
    modifiers: 65,
    down: true,
  });
  assert.deepEqual(keyboard.up(stroke("KeyA", "a")), {
    type: "key",
    code: "KeyA",
    key: "a",
    location: 0,
    modifiers: 0,
    down: false,
  });
});

test("every modifier has its bit", () => {
  const all = ["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "NumLock"];
  assert.deepEqual(all.map((name) => modifiers(stroke("", "", [name]))), [1, 2, 4, 8, 16, 32, 64]);
});

test("repetitions, compositions and the browser's own keys are not passed on", () => {
  const keyboard = new Keyboard();
  keyboard.down(stroke("KeyA", "a"));
  assert.equal(keyboard.down(stroke("KeyA", "a", [], { repeat: true })), null);
  assert.equal(keyboard.down(stroke("KeyB", "b", [], { isComposing: true })), null);
  assert.equal(keyboard.down(stroke("KeyB", "Process")), null);
  assert.equal(keyboard.down(stroke("F11", "F11")), null);
  assert(isBrowsers(stroke("KeyI", "I", ["Control", "Shift"])));
  assert(!isBrowsers(stroke("KeyI", "i", ["Control"])));
  assert(!isBrowsers(stroke("F5", "F5")));
});

test("only what went down goes up", () => {
  const keyboard = new Keyboard();
  assert.equal(keyboard.up(stroke("KeyA", "a")), null);
  keyboard.down(stroke("KeyA", "a"));
  assert.deepEqual(keyboard.release(), { type: "release" });
  assert.equal(keyboard.up(stroke("KeyA", "a")), null);
});

test("letting Meta go lets everything go, since the rest is not reported meanwhile", () => {
  const keyboard = new Keyboard();
  keyboard.down(stroke("MetaLeft", "Meta", ["Meta"]));
  keyboard.down(stroke("KeyC", "c", ["Meta"]));
  assert.deepEqual(keyboard.up(stroke("MetaLeft", "Meta")), { type: "release" });
});

test("Control, Alt and Shift alone lead out; with another key they are a shortcut", () => {
  const chord = ["Control", "Alt", "Shift"];
  const press = (...last: [string, string][]) => {
    const keyboard = new Keyboard();
    for (const [code, key] of last) {
      keyboard.down(stroke(code, key, chord));
    }
    return keyboard.takeLeave();
  };
  assert(press(["ShiftLeft", "Shift"]));
  assert(!press(["ShiftLeft", "Shift"], ["KeyT", "t"]));
  const keyboard = new Keyboard();
  keyboard.down(stroke("ControlLeft", "Control", ["Control"]));
  assert(!keyboard.takeLeave());
});

test("keys that paste are known, on any layout and with or without formatting", () => {
  for (const pastes of [
    stroke("KeyV", "v", ["Control"]),
    stroke("KeyK", "V", ["Control", "Shift"]),
    stroke("KeyV", "v", ["Meta"]),
    stroke("Insert", "Insert", ["Shift"]),
  ]) {
    assert(isPaste(pastes), pastes.code);
  }
  for (const other of [
    stroke("KeyV", "v"),
    stroke("KeyV", "v", ["Control", "Alt"]),
    stroke("KeyC", "c", ["Control"]),
    stroke("Insert", "Insert", ["Control"]),
  ]) {
    assert(!isPaste(other), other.code);
  }
});

test("two buttons at once are two buttons", () => {
  assert.deepEqual(buttons(0, 1), [{ type: "button", button: 0, down: true }]);
  assert.deepEqual(buttons(1, 3), [{ type: "button", button: 2, down: true }]);
  assert.deepEqual(buttons(7, 8), [
    { type: "button", button: 0, down: false },
    { type: "button", button: 2, down: false },
    { type: "button", button: 1, down: false },
    { type: "button", button: 3, down: true },
  ]);
  assert.deepEqual(buttons(5, 5), []);
});

test("wheels that count lines or pages are counted in pixels", () => {
  const turned = (deltaMode: number) => wheel({ deltaX: 1, deltaY: -2, deltaMode }, 500);
  assert.deepEqual(turned(0), { type: "wheel", dx: 1, dy: -2 });
  assert.deepEqual(turned(1), { type: "wheel", dx: 16, dy: -32 });
  assert.deepEqual(turned(2), { type: "wheel", dx: 500, dy: -1000 });
});

test("a point is found in the picture's pixels, however large it is shown, and never outside", () => {
  const box = { left: 10, top: 20, width: 100, height: 50 };
  const picture = { width: 200, height: 100 };
  assert.deepEqual(place({ clientX: 60, clientY: 45 }, box, picture), { x: 100, y: 50 });
  assert.deepEqual(place({ clientX: 0, clientY: 500 }, box, picture), { x: 0, y: 99 });
  const none = { left: 0, top: 0, width: 0, height: 0 };
  assert.deepEqual(place({ clientX: 5, clientY: 5 }, none, { width: 0, height: 0 }), { x: 0, y: 0 });
});

test("keys whose text is still being made are no keys", () => {
  const keyboard = new Keyboard();
  for (const key of ["Process", "Dead", "Unidentified"]) {
    assert.equal(keyboard.down(stroke("BracketLeft", key)), null);
    assert(isText(stroke("BracketLeft", key)));
    assert.equal(keyboard.up(stroke("BracketLeft", key)), null);
  }
  assert.equal(keyboard.down(stroke("KeyN", "n", [], { isComposing: true })), null);
  assert(!isText(stroke("KeyN", "n")));
});

test("a caret in composed text is counted in bytes", () => {
  assert.deepEqual(composing("nǐ"), { type: "text", commit: "", preedit: "nǐ", preeditCaret: 3 });
  assert.deepEqual(composing(""), { type: "text", commit: "", preedit: "", preeditCaret: 0 });
});

test("a long text is told in pieces that the gateway takes, cut between characters", () => {
  assert.deepEqual(texts(""), []);
  const text = "a" + "😀".repeat(3000);
  const pieces = texts(text).map((deed) => (deed.type === "text" ? deed.commit : ""));
  assert(pieces.every((piece) => new TextEncoder().encode(piece).length <= 4000));
  assert(pieces.every((piece) => [...piece].every((character) => text.includes(character))), "no half a character");
  assert.equal(pieces.join(""), text);
});

test("a finger keeps its number while it is down, and the next takes the first that is free", () => {
  const fingers = new Fingers();
  const at = { x: 1, y: 2 };
  const id = (pointer: number, phase: "down" | "motion" | "up" | "cancel") => {
    const deed = fingers.did(pointer, phase, at);
    return deed?.type === "touch" ? deed.id : null;
  };
  assert.equal(id(71, "motion"), null);
  assert.deepEqual([id(71, "down"), id(72, "down"), id(71, "motion"), id(71, "up")], [0, 1, 0, 0]);
  assert.deepEqual([id(73, "down"), id(72, "motion"), id(72, "cancel"), id(73, "up")], [0, 1, 1, null]);
  assert.deepEqual(fingers.did(9, "down", at), { type: "touch", id: 0, phase: "down", x: 1, y: 2 });
});
