import assert from "node:assert/strict";
import { test } from "node:test";
import { describe } from "../src/figures.ts";
import type { Stats } from "../src/messages.ts";
import { languageOf } from "../src/text.ts";

const stats: Stats = {
  rtt: 3.21,
  reconnects: 2,
  bytesDown: 1_234_567,
  bytesUp: 0,
  inputSent: 0,
  inputAcked: 0,
  updates: 9,
  lastUpdate: 9,
  width: 1280,
  height: 800,
  hashMismatches: 1,
  refusedUnits: 1,
  inputToPicture: [30, 10, 20],
  firstPicture: 50,
};

test("figures are shown in units a person reads", () => {
  const values = describe(stats, 950).map(([, value]) => value);
  assert.deepEqual(values, ["3.2 ms", "20 ms", "30 ms", "1280 × 800", "1.2 MB, 950 B a second", "9", "2", "2"]);
});

test("what was not measured yet is no number", () => {
  const values = describe({ ...stats, rtt: null, inputToPicture: [], bytesDown: 0 }, 0).map(([, value]) => value);
  assert.deepEqual(values.slice(0, 3), ["–", "–", "–"]);
  assert.equal(values[4], "0 B, 0 B a second");
});

test("the page speaks the first language that it knows", () => {
  assert.equal(languageOf(["zh-Hans-CN", "en"]), "zh");
  assert.equal(languageOf(["de", "en-GB", "zh"]), "en");
  assert.equal(languageOf(["ja"]), "en");
  assert.equal(languageOf([]), "en");
});
