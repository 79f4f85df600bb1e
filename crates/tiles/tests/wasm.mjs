// The player's module draws the recorded units as the native build does.
//
// node crates/tiles/tests/wasm.mjs target/wasm32-unknown-unknown/player/greenroom_tiles.wasm
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const golden = (name) => readFile(new URL(`golden/${name}`, import.meta.url));
const module = await WebAssembly.compile(await readFile(process.argv[2]));
assert.deepEqual(WebAssembly.Module.imports(module), [], "the module needs nothing from its host");
const { exports: tiles } = await WebAssembly.instantiate(module);

function apply(unit) {
  const at = tiles.greenroom_input(unit.length);
  new Uint8Array(tiles.memory.buffer, at, unit.length).set(unit);
  return tiles.greenroom_apply();
}

async function draw(recording) {
  const units = await golden(`${recording}.units`);
  const hashes = (await golden(`${recording}.hashes`)).toString().trim().split("\n");
  let at = 0;
  for (const [index, hash] of hashes.entries()) {
    const length = units.readUInt32LE(at);
    const unit = units.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    assert.equal(apply(unit), 0);
    assert.equal(tiles.greenroom_update(), BigInt(index + 1));
    assert.equal(tiles.greenroom_hash_matches(), 1);
    assert.equal(BigInt.asUintN(64, tiles.greenroom_frame_hash()).toString(16).padStart(16, "0"), hash);
    const damage = new Uint32Array(tiles.memory.buffer, tiles.greenroom_damage_ptr(), 4 * tiles.greenroom_damage_len());
    assert.ok(damage.length > 0);
  }
  assert.equal(at, units.length, "every unit was drawn");
  return hashes.length;
}

const drawn = (await draw("v2")) + (await draw("v1"));
assert.equal(tiles.greenroom_width(), 70);
assert.equal(tiles.greenroom_height(), 190);
assert.equal(tiles.greenroom_tiles_len(), 6);
const pixels = new Uint8Array(tiles.memory.buffer, tiles.greenroom_pixels_ptr(), 4 * 70 * 190);
assert.ok(pixels.every((value, index) => index % 4 !== 3 || value === 255), "the picture is opaque");

// What is no unit is refused with a reason, and the picture stays.
assert.equal(apply(Buffer.from("no unit at all")), 1);
const reason = new Uint8Array(tiles.memory.buffer, tiles.greenroom_error_ptr(), tiles.greenroom_error_len());
assert.equal(new TextDecoder().decode(reason), "these bytes are no unit");
assert.equal(tiles.greenroom_width(), 70);
console.log(`${drawn} units drawn alike`);
