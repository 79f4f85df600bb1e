// Waiting for a condition, with a limit.

/** Calls `look` until it answers something truthy, and answers that. */
export async function until(what, look, limit = 30_000) {
  const end = performance.now() + limit;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${limit} ms in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
