// Images of an account's own, as far as a server has them that no image of is a folder.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { WAYS } from "./lib/clients.mjs";
import { refused } from "./lib/refused.mjs";

for (const [name, way] of Object.entries(WAYS)) {
  describe(name, () => {
    const ask = way();

    test("an account has no images before it makes one", async () => {
      const { Code, Data } = await ask("ListImage", { ImageType: "User" });
      assert.deepEqual([Code, Data], ["200", []]);
    });

    test("what is the system's, or not there, is not deleted", async () => {
      const codes = { "img-this-machine": "ImageDeleteFailed.NotAllow", "img-none": "Image.NotExist" };
      for (const [ImageId, code] of Object.entries(codes)) {
        const error = await refused(() => ask("DeleteImage", { ImageId }));
        assert.equal(error.code, code);
      }
    });

    test("an image of a session that is not there is refused", async () => {
      const error = await refused(() => ask("CreateImageByInstance", { SubInstanceId: "p-none" }));
      assert.equal(error.code, "Instance.NotFound");
    });
  });
}
