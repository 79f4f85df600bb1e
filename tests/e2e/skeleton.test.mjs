// One persistent session from the API to pixels in a browser, and back after everything that may die in
// between. The tests build on each other: they tell one story about one terminal.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { api } from "./lib/api.mjs";
import { Player, launch } from "./lib/browser.mjs";
import { Group } from "./lib/group.mjs";
import { Server, processOf } from "./lib/server.mjs";
import { until } from "./lib/until.mjs";

let server, group, session, browser, link, player;
let broken = false;

/** A part of the story; once one has failed, those that build on it are not told. */
function part(name, tell) {
  test(name, async (t) => {
    if (broken) {
      t.skip("an earlier part failed");
      return;
    }
    try {
      await tell();
    } catch (error) {
      broken = true;
      const shown = await player?.screenshot("failed").catch(() => "none");
      t.diagnostic(`screenshot: ${shown}; player: ${JSON.stringify(await player?.stats().catch(() => null))}`);
      t.diagnostic(`the server said:\n${(await server.log()).split("\n").slice(-30).join("\n")}`);
      throw error;
    }
  });
}

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  group = await Group.create(api(server.origin, server.credentials), "e2e", 1);
  [session] = group.sessions;
  await group.authorize(session);
});

after(async () => {
  await browser?.close();
  if (group) {
    const holder = await server.holder(session);
    await group.delete();
    await until("the holder ends", async () => (await processOf(holder)) === null);
  }
  await server?.stop();
  await server?.remove();
});

part("a link shows the session", async () => {
  link = `${server.origin}/play${await group.ticket(session)}`;
  player = await Player.open(browser, link);
  await player.connected();
  assert.equal(new URL(player.page.url()).hash, "", "the ticket is no longer in the address");
  assert.equal(await player.page.evaluate(() => window.greenroom.persistentId), session);
  assert.equal(await player.card(), "");
  assert.match(await player.hash(), /^[0-9a-f]{16}$/);
  // Whatever happens from here on, the page stays the one that was loaded.
  await player.page.evaluate(() => (window.neverReloaded = true));
});

part("the session has the size of the window", async () => {
  await player.until(() => window.greenroom.stats().width === 1000 && window.greenroom.stats().height === 700);
  await player.page.setViewportSize({ width: 900, height: 600 });
  await player.until(() => window.greenroom.stats().width === 900 && window.greenroom.stats().height === 600);
});

part("what is typed reaches the app, and the picture shows it exactly", async () => {
  const before = await player.hash();
  await player.type("echo hello-$((40+2)) > ~/typed; cat ~/typed\n");
  await until("the shell did it", async () => (await server.homeFile(session, "typed")) === "hello-42\n");
  await player.delivered();
  await until("the picture changed", async () => (await player.hash()) !== before);
  await stillAndExact(player);
  await player.screenshot("typed");
});

part("text that an input method composes reaches the app", async () => {
  const keyboard = await player.page.context().newCDPSession(player.page);
  await player.type("echo ");
  await stillAndExact(player);
  const before = await player.hash();
  await keyboard.send("Input.imeSetComposition", { text: "ni hao", selectionStart: 6, selectionEnd: 6 });
  await until("the app shows what is being composed", async () => (await player.hash()) !== before);
  await stillAndExact(player);
  await player.screenshot("composing");
  await keyboard.send("Input.insertText", { text: "你好" });
  await player.type(" > ~/composed\n");
  await until("the shell did it", async () => (await server.homeFile(session, "composed")) === "你好\n");
  // As a list of emoji does it, or dictation.
  await player.type("echo ");
  await player.page.keyboard.insertText("👍🏽");
  await player.type(" > ~/chosen\n");
  await until("the shell did it", async () => (await server.homeFile(session, "chosen")) === "👍🏽\n");
  await stillAndExact(player);
});

part("the browser draws the pointer that the app asks for", async () => {
  await player.page.mouse.move(200, 200);
  // The terminal brings an image of its own for it.
  await player.until(() => document.querySelector("canvas").style.cursor.startsWith("image-set(url("));
});

part("the bar at the upper edge shows the figures, and gives the keyboard back", async () => {
  await player.page.mouse.move(500, 3);
  await player.page.getByRole("button", { name: "Figures" }).click();
  await player.page.getByText("1000 × 700").or(player.page.getByText("900 × 600")).waitFor();
  await player.screenshot("figures");
  await player.page.keyboard.type("echo after-the-bar > ~/typed-again\n");
  await until("the shell did it", async () => (await server.homeFile(session, "typed-again")) === "after-the-bar\n");
});

part("a used link says that it was used", async () => {
  const late = await Player.open(browser, link);
  await late.until(() => window.greenroom.state === "ended");
  assert.equal(await late.page.evaluate(() => window.greenroom.reason), "ticket.used");
  assert.match(await late.card(), /used already/);
  await late.screenshot("used-link");
  await late.close();
});

part("a link that is none says so", async () => {
  const lost = await Player.open(browser, `${server.origin}/play#ticket=bm9uc2Vuc2U%3D`);
  await lost.until(() => window.greenroom.state === "ended");
  assert.match(await lost.card(), /not valid/);
  await lost.close();
});

part("a page in Chinese speaks Chinese", async () => {
  const lost = await Player.open(browser, `${server.origin}/play`, () => {}, { locale: "zh-CN" });
  await until("the card is there", async () => /请打开会话链接/.test(await lost.card()));
  assert.equal(await lost.page.evaluate(() => document.documentElement.lang), "zh");
  await lost.close();
});

part("after kill -9 of the streamer the same page goes on", async () => {
  const old = await server.streamer(session);
  assert(old, "a streamer runs while somebody watches");
  const { updates } = await player.stats();
  process.kill(old, "SIGKILL");
  await player.type("echo streamer >> ~/typed\n");
  await until("the shell did it", async () => (await server.homeFile(session, "typed")).endsWith("streamer\n"));
  const fresh = await until("another streamer runs", () => server.streamer(session));
  assert.notEqual(fresh, old);
  await player.delivered();
  await player.until((before) => window.greenroom.stats().updates > before, updates);
  await stillAndExact(player);
  assert.equal((await player.stats()).reconnects, 0, "the connection was never lost");
});

part("after kill -9 of the server the same page comes back to the same terminal", async () => {
  const [hash, holder] = [await player.hash(), await server.holder(session)];
  await server.kill();
  await player.until(() => window.greenroom.state === "reconnecting");
  await player.until(() => !document.getElementById("note").hidden);
  await player.screenshot("reconnecting");
  await server.start();
  await player.until(() => window.greenroom.state === "connected");
  assert.equal(await player.hash(), hash);
  assert.equal(await server.holder(session), holder, "the holder was adopted, not replaced");
  assert.equal((await player.stats()).reconnects, 1);
});

part("what is typed while the server is away arrives once it is back", async () => {
  await server.kill();
  await player.until(() => window.greenroom.state === "reconnecting");
  await player.type("echo blind >> ~/typed\n");
  await server.start();
  await player.until(() => window.greenroom.state === "connected");
  await player.delivered();
  await until("the shell did it", async () => (await server.homeFile(session, "typed")).endsWith("streamer\nblind\n"));
  await stillAndExact(player);
  assert(await player.page.evaluate(() => window.neverReloaded === true));
  await player.screenshot("back");
});

part("a reload comes back without a new link", async () => {
  const hash = await player.hash();
  await player.page.reload();
  await player.connected();
  assert.equal(await player.hash(), hash);
});

part("a second viewer without a canvas in its worker sees the same", async () => {
  const url = `${server.origin}/play${await group.ticket(session)}`;
  const second = await Player.open(browser, url, () => {
    delete HTMLCanvasElement.prototype.transferControlToOffscreen;
  });
  await second.connected();
  await stillAndExact(second);
  // The second window decides the size too; both show whatever the session has now.
  await until("both show the same", async () => (await second.hash()) === (await player.hash()));
  assert.equal(await second.pixels(), await player.pixels());
  await second.screenshot("second");
  assert.deepEqual(second.complaints, []);
  await second.close();
});

part("after kill -9 of the holder the session is started anew and the page follows", async () => {
  const old = await server.holder(session);
  process.kill(old, "SIGKILL");
  await player.until(() => window.greenroom.state === "reconnecting");
  await player.until(() => window.greenroom.state === "connected");
  assert.notEqual(await server.holder(session), old);
  await player.type("echo anew >> ~/typed\n");
  await until("the shell did it", async () => (await server.homeFile(session, "typed")).endsWith("blind\nanew\n"));
  await stillAndExact(player);
});

part("a deleted session says that it was deleted", async () => {
  const holder = await server.holder(session);
  await group.delete();
  await player.until(() => window.greenroom.state === "ended");
  assert.equal(await player.page.evaluate(() => window.greenroom.reason), "session.deleted");
  assert.match(await player.card(), /was deleted/);
  assert.equal(await player.page.locator("canvas").count(), 0, "its picture is gone from the screen");
  await player.screenshot("deleted");
  await until("the holder ends", async () => (await processOf(holder)) === null);
  group = null;
});

part("the page never complained", async () => {
  assert.deepEqual(player.complaints, []);
});

/** Looks without a change until the picture counts as resting: a prompt follows its command's output at once. */
const STILL = 15;

/** Waits until the picture rests, and checks that it never differed from the session's. */
async function stillAndExact(player) {
  let [last, looks] = ["", 0];
  await until("the picture rests", async () => {
    const seen = `${(await player.stats()).updates} ${await player.hash()}`;
    looks = seen === last ? looks + 1 : 0;
    last = seen;
    return looks >= STILL;
  });
  const { hashMismatches, refusedUnits } = await player.stats();
  assert.deepEqual({ hashMismatches, refusedUnits }, { hashMismatches: 0, refusedUnits: 0 });
}
