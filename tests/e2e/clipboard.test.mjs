// What is copied in a session and pasted in the browser's device, and the other way round, by a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api } from "./lib/api.mjs";
import { Player, launch } from "./lib/browser.mjs";
import { Group } from "./lib/group.mjs";
import { Server } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

let server, group, session, browser, player;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  group = await Group.create(api(server.origin, server.credentials), "clipboard", 1);
  [session] = group.sessions;
  await group.authorize(session);
  player = await Player.open(browser, `${server.origin}/play${await group.ticket(session)}`);
  // For the test, which looks into the device's clipboard; the player asks for nothing.
  await player.page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await player.connected();
});

after(async () => {
  await browser?.close();
  await group?.delete();
  await server?.stop();
  await server?.remove();
});

/** Runs a command in the session's terminal, and waits until it is done. */
let commands = 0;
async function run(command) {
  commands += 1;
  const mark = `done-${commands}`;
  await player.type(`${command}; echo ${mark} > ~/${mark}\n`);
  await until(command, async () => (await server.homeFile(session, mark).catch(() => "")) === `${mark}\n`);
}

const deviceText = () => player.page.evaluate(() => navigator.clipboard.readText());
const copyOnDevice = (text) => player.page.evaluate((text) => navigator.clipboard.writeText(text), text);

test("what was copied before stays on the device when a session is opened", async () => {
  await copyOnDevice("mine");
  assert.equal(await deviceText(), "mine");
});

test("text that an app copies is on the device", async () => {
  await run("printf 'caf\\303\\251 %s' one | wl-copy");
  await until("the device has it", async () => (await deviceText()) === "café one");
});

test("text of the device is pasted into an app", async () => {
  await copyOnDevice("echo pasted-by-keys > ~/pasted; ");
  await player.page.locator("canvas").focus();
  await player.page.keyboard.press("Control+Shift+V");
  await run("true");
  assert.equal(await server.homeFile(session, "pasted"), "pasted-by-keys\n");
});

test("a picture goes both ways", async () => {
  const drawn = await player.page.evaluate(async () => {
    const canvas = new OffscreenCanvas(300, 200);
    const context = canvas.getContext("2d");
    context.fillStyle = "#12a4f7";
    context.fillRect(0, 0, 150, 200);
    const blob = await canvas.convertToBlob({ type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    return [...context.getImageData(0, 0, 300, 200).data];
  });
  await player.page.locator("canvas").focus();
  // To the shell this key quotes the next one; then the line is emptied.
  await player.page.keyboard.press("Control+V");
  await player.page.keyboard.press("x");
  await player.page.keyboard.press("Control+U");
  await run("wl-paste --type image/png > ~/picture.png");
  await copyOnDevice("something else");
  await run("wl-copy --type image/png < ~/picture.png");
  const seen = await until("the device has the picture", () =>
    player.page.evaluate(async () => {
      const [item] = await navigator.clipboard.read();
      if (!item.types.includes("image/png")) {
        return null;
      }
      const bitmap = await createImageBitmap(await item.getType("image/png"));
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context.drawImage(bitmap, 0, 0);
      return [...context.getImageData(0, 0, bitmap.width, bitmap.height).data];
    }),
  );
  assert.deepEqual(seen, drawn);
});

test("the page never complained", () => {
  assert.deepEqual(player.complaints, []);
});
