import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../src/pace.ts";

test("a restart is met within a quarter of a second, a long outage with patience", () => {
  assert.deepEqual([0, 1, 2, 3, 9].map((attempt) => pause(attempt, 0, 0)), [50, 100, 200, 250, 250]);
  assert.equal(pause(60, 29_999, 0), 250);
  assert(pause(80, 45_000, 0) > 250);
  assert.equal(pause(1000, 10_000_000, 0), 2000);
});

test("returning viewers are spread out", () => {
  assert.equal(pause(3, 0, 1), 300);
  assert.equal(pause(1000, 10_000_000, 1), 2000);
});
