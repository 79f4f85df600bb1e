// The one operation that the vendor's clients call with GET.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openapiCore } from "./lib/clients.mjs";

for (const [name, changes] of Object.entries({ V3: {}, v1: { signatureAlgorithm: "v2" } })) {
  test(`a group of browsers is shown to a GET signed ${name}`, async () => {
    const ask = openapiCore(changes);
    const made = await ask("CreateBrowserInstanceGroup", {
      BizRegionId: "cn-shanghai",
      CloudBrowserName: `compat ${name}`,
      Users: JSON.stringify([{ EndUserId: "alice" }]),
    });
    const { BrowserInstanceGroupId: id } = made.BrowserInstanceGroupModel;
    try {
      const shown = await ask("GetBrowserInstanceGroup", { BrowserInstanceGroupId: id }, "GET");
      const { BrowserInstanceGroupName, AuthorizedUserInfo } = shown.BrowserInstanceGroupModel;
      assert.equal(BrowserInstanceGroupName, `compat ${name}`);
      assert.equal(AuthorizedUserInfo.TotalCount, 1);
    } finally {
      await ask("DeleteAppInstanceGroup", { AppInstanceGroupId: id, ProductType: "CloudBrowser" });
    }
  });
}
