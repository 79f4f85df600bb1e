import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_KEPT, Outbox } from "../src/outbox.ts";

const release = { type: "release" } as const;

test("events are numbered from 1 and kept until they are acknowledged", () => {
  const outbox = new Outbox();
  assert.deepEqual(outbox.add(release, 5), { seq: 1, at: 5, type: "release" });
  outbox.add(release, 6);
  outbox.add(release, 7);
  outbox.acknowledge(2);
  assert.deepEqual(outbox.unacknowledged.map((event) => event.seq), [3]);
  outbox.acknowledge(1);
  assert.equal(outbox.acked, 2);
  outbox.acknowledge(99);
  assert.deepEqual([outbox.acked, outbox.unacknowledged.length], [3, 0]);
});

test("during a long outage movements collapse, keys stay, and memory is bounded", () => {
  const outbox = new Outbox();
  for (let n = 0; n < 3 * MAX_KEPT; n++) {
    outbox.add({ type: "motion", x: n, y: 0 }, n);
  }
  assert(outbox.unacknowledged.length <= MAX_KEPT / 2);
  const last = outbox.unacknowledged.at(-1);
  assert(last?.type === "motion" && last.x === 3 * MAX_KEPT - 1);
  let kept = 0;
  while (outbox.add(release, 0)) {
    kept += 1;
  }
  assert.equal(kept, MAX_KEPT / 2);
  assert.equal(outbox.unacknowledged.length, MAX_KEPT);
});
