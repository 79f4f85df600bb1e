/** When to try again after a lost connection. */

const FIRST = 50;
const STEADY = 250;
/** How long a restarting server is expected back any moment. */
const PATIENCE = 30_000;
const SLOWEST = 2000;

/**
 * Milliseconds before attempt `attempt` (from 0), `lost` milliseconds after the connection was lost.
 * Eager at first, so that a restart goes unnoticed; then slower, and spread out by `random` (0..1), so
 * that a thousand viewers do not return in the same instant.
 */
export function pause(attempt: number, lost: number, random: number): number {
  const eager = Math.min(FIRST * 2 ** Math.min(attempt, 10), STEADY);
  const base = lost < PATIENCE ? eager : Math.min(STEADY + (lost - PATIENCE) / 20, SLOWEST);
  return Math.min(base * (1 + random / 5), SLOWEST);
}
