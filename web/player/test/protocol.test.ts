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
