import assert from "node:assert/strict";
import { test } from "node:test";
import { Copying, type Contents } from "../src/copying.ts";
import * as protocol from "../src/protocol.ts";
import type { Copied, Form } from "../src/protocol.ts";

const RIGHTS = { input: true, clipboardIn: true, clipboardOut: true };
const text = (value: string) => new Blob([value], { type: "text/plain" });

/** A clipboard whose other end is the test. */
class Fake {
  readonly sent: Uint8Array<ArrayBuffer>[] = [];
  readonly had: Contents[] = [];
  readonly copying = new Copying(
    (message) => this.sent.push(message),
    (contents) => this.had.push(contents),
  );

  constructor(rights = RIGHTS) {
    this.copying.welcome(rights);
  }

  /** What was said since the last call, but for parts. */
  said(): unknown[] {
    return this.sent.splice(0).map((message) => JSON.parse(new TextDecoder().decode(message.subarray(1))));
  }
  copied(serial: number, ...contents: Copied["contents"]): void {
    this.copying.on({ type: "copied", serial, contents });
  }
  part(serial: number, kind: Form, offset: number, bytes: string): void {
    this.copying.take({ serial, kind, offset, bytes: new TextEncoder().encode(bytes) });
  }
}

test("what is copied in the session is fetched form by form, and handed over whole", async () => {
  const fake = new Fake();
  fake.copying.want(true);
  fake.copied(0);
  fake.copied(1, { kind: "text/plain", bytes: 4 }, { kind: "text/html", bytes: 3 });
  const ask = (kind: Form, offset: number) => ({ type: "readCopied", serial: 1, kind, offset });
  assert.deepEqual(fake.said(), [{ type: "wantCopied", on: true }, ask("text/plain", 0)]);
  fake.part(1, "text/plain", 0, "te");
  fake.part(1, "text/plain", 0, "te");
  fake.part(2, "text/plain", 2, "xt");
  assert.deepEqual(fake.said(), [ask("text/plain", 2)]);
  fake.part(1, "text/plain", 2, "xt");
  assert.deepEqual(fake.said(), [ask("text/html", 0)]);
  fake.part(1, "text/html", 0, "<b>");
  assert.deepEqual(fake.said(), []);
  assert.equal(await fake.had[0]?.["text/plain"]?.text(), "text");
  assert.equal(await fake.had[0]?.["text/html"]?.text(), "<b>");
});

test("what was copied before the page was opened, or is known, stays where it is", () => {
  const fake = new Fake();
  fake.copied(7, { kind: "text/plain", bytes: 4 });
  fake.copied(7, { kind: "text/plain", bytes: 4 });
  fake.copied(8, { kind: "text/plain", bytes: protocol.MAX_COPIED + 1 });
  assert.deepEqual(fake.said(), []);
});

test("what was half fetched when the connection broke is fetched again", () => {
  const fake = new Fake();
  fake.copied(0);
  fake.copied(1, { kind: "text/plain", bytes: 4 });
  fake.part(1, "text/plain", 0, "te");
  fake.said();
  fake.copying.welcome(RIGHTS);
  fake.part(1, "text/plain", 2, "xt");
  fake.copied(1, { kind: "text/plain", bytes: 4 });
  assert.deepEqual(fake.said(), [{ type: "readCopied", serial: 1, kind: "text/plain", offset: 0 }]);
});

test("more than was said is not taken, and nothing more is asked for", () => {
  const fake = new Fake();
  fake.copied(0);
  fake.copied(1, { kind: "text/plain", bytes: 4 });
  fake.said();
  fake.part(1, "text/plain", 0, "too long");
  assert.deepEqual([fake.said(), fake.had], [[], []]);
});

test("what is pasted is offered, and given part by part as it is asked for", async () => {
  const fake = new Fake();
  fake.copying.give({ "text/plain": text("x".repeat(protocol.MAX_PART) + "end") });
  const bytes = protocol.MAX_PART + 3;
  assert.deepEqual(fake.said(), [{ type: "copied", serial: 1, contents: [{ kind: "text/plain", bytes }] }]);
  const given = async (serial: number, kind: Form, offset: number) => {
    fake.copying.on({ type: "readCopied", serial, kind, offset });
    while (fake.sent.length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    const message = fake.sent.shift() as Uint8Array;
    assert.equal(message[0], 5);
    return protocol.parsePart(message.subarray(1));
  };
  assert.equal((await given(1, "text/plain", 0))?.bytes.length, protocol.MAX_PART);
  const last = await given(1, "text/plain", protocol.MAX_PART);
  assert.deepEqual([last?.serial, last?.kind, last?.offset], [1, "text/plain", protocol.MAX_PART]);
  assert.equal(new TextDecoder().decode(last?.bytes), "end");
  assert.equal((await given(2, "text/plain", 0))?.bytes.length, 0, "something else");
  assert.equal((await given(1, "image/png", 0))?.bytes.length, 0, "a form there is not");
});

test("a paste that the session has not had is offered again after an interruption, one it had is not", async () => {
  const fake = new Fake();
  fake.copying.give({ "text/plain": text("new") });
  fake.said();
  fake.copying.welcome(RIGHTS);
  assert.equal(fake.said().length, 1);
  fake.copying.on({ type: "readCopied", serial: 1, kind: "text/plain", offset: 0 });
  while (fake.sent.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  fake.sent.splice(0);
  fake.copying.welcome(RIGHTS);
  assert.deepEqual(fake.said(), []);
});

test("without the right nothing is said", () => {
  for (const right of ["input", "clipboardIn", "clipboardOut"] as const) {
    const fake = new Fake({ ...RIGHTS, [right]: false });
    fake.copying.want(true);
    fake.copying.give({ "text/plain": text("new") });
    const [wants, gives] = [right === "clipboardIn", right === "clipboardOut"];
    assert.equal(fake.said().length, Number(wants) + Number(gives), right);
  }
});

test("a part that is cut, or of a form that nobody knows, is none", () => {
  const whole = protocol.copiedPart({ serial: 1, kind: "image/png", offset: 2, bytes: new Uint8Array([9]) }).subarray(1);
  assert.deepEqual(protocol.parsePart(whole)?.bytes, new Uint8Array([9]));
  assert.equal(protocol.parsePart(whole.subarray(0, 12)), null);
  for (const kind of [0, 4]) {
    const other = whole.slice();
    other[8] = kind;
    assert.equal(protocol.parsePart(other), null);
  }
});
