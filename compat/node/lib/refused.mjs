import assert from "node:assert/strict";

/** The error of a call that must be refused. */
export async function refused(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.fail("the call was answered");
}
