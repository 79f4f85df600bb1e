import assert from "node:assert/strict";
import { test } from "node:test";
import * as protocol from "../src/protocol.ts";

const payload = (message: Uint8Array) => JSON.parse(new TextDecoder().decode(message.subarray(1)));
const control = (value: unknown) => {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return new Uint8Array([1, ...bytes]).buffer;
};

test("a hello brings its credential, its stream in 16 digits and its size", () => {
  const message = protocol.hello({ ticket: "t" }, 0xabn, { width: 3, height: 2, scale120: 180 });
  assert.equal(message[0], 1);
  assert.deepEqual(payload(message), {
    type: "hello",
    version: 1,
    ticket: "t",
    stream: "00000000000000ab",
    units: 2,
    size: { width: 3, height: 2, scale120: 180 },
  });
  assert.equal("size" in payload(protocol.hello({ resume: "r" }, 1n, null)), false);
});

test("an ack is the update's number in little-endian", () => {
  assert.deepEqual([...protocol.ack(0x0102n)], [3, 2, 1, 0, 0, 0, 0, 0, 0]);
});

test("a have names every tile, or none when there are too many", () => {
  const some = protocol.have(5, 6, new BigUint64Array([7n]));
  assert.deepEqual([...some], [4, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]);
  const most = protocol.have(9, 9, new BigUint64Array(protocol.MAX_HAVE_TILES));
  assert(most.length <= 65536);
  const many = protocol.have(9, 9, new BigUint64Array(protocol.MAX_HAVE_TILES + 1));
  assert.deepEqual([...many], [4, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("units and input acks are told apart by their class", () => {
  assert.deepEqual(protocol.parse(new Uint8Array([17, 9, 8]).buffer), {
    kind: "unit",
    class: protocol.Class.Display,
    bytes: new Uint8Array([9, 8]),
  });
  const ack = protocol.parse(new Uint8Array([2, 1, 1, 0, 0, 0, 0, 0, 0]).buffer);
  assert.deepEqual(ack, { kind: "inputAck", seq: 257 });
});

test("control messages are read only when they are whole", () => {
  const bye = { type: "bye", code: "ticket.used", message: "m", retry: false };
  assert.deepEqual(protocol.parse(control(bye)), { kind: "control", control: bye });
  for (const broken of [{ type: "bye", code: 1, message: "", retry: true }, { type: "welcome" }, { type: "new" }, 5, null]) {
    assert.equal(protocol.parse(control(broken)).kind, "unknown");
  }
  for (const bytes of [[], [1], [1, 0x7b], [2, 1], [0], [9, 1], [16]]) {
    assert.equal(protocol.parse(new Uint8Array(bytes).buffer).kind, "unknown");
  }
});

test("a pointer's image is read with its measures, and not at all when it is not whole", () => {
  const message = new Uint8Array(21 + 4);
  message[0] = 3;
  const view = new DataView(message.buffer);
  [1, 1].forEach((size, index) => view.setUint32(1 + 4 * index, size, true));
  [-2, 3].forEach((spot, index) => view.setInt32(9 + 4 * index, spot, true));
  view.setUint32(17, 240, true);
  message.set([9, 8, 7, 6], 21);
  const down = protocol.parse(message.buffer);
  assert.equal(down.kind, "pointerImage");
  if (down.kind === "pointerImage") {
    const { rgba, ...measures } = down.image;
    assert.deepEqual(measures, { width: 1, height: 1, hotspotX: -2, hotspotY: 3, scale120: 240 });
    assert.deepEqual([...new Uint8Array(rgba)], [9, 8, 7, 6]);
  }
  for (const wrong of [message.slice(0, 20), message.slice(0, 24), new Uint8Array([3])]) {
    assert.deepEqual(protocol.parse(wrong.buffer), { kind: "unknown" });
  }
});

test("pointers and text fields are told whole or not at all", () => {
  const field = { type: "textField", wanted: true, x: 1, y: 2, width: 3, height: 4 };
  assert.deepEqual(protocol.parse(control(field)), { kind: "control", control: field });
  assert.deepEqual(protocol.parse(control({ ...field, height: "4" })), { kind: "unknown" });
  const pointer = { type: "pointer", name: "text" };
  assert.deepEqual(protocol.parse(control(pointer)), { kind: "control", control: pointer });
  assert.deepEqual(protocol.parse(control({ type: "pointer" })), { kind: "unknown" });
});
