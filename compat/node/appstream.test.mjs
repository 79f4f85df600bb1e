// Delivery groups and their sessions, through every client and signature that npm has for them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WAYS } from "./lib/clients.mjs";

const CLOUD_APP = { ProductType: "CloudApp" };
const LIMIT_MS = 60_000;

/** A group with one session that opens nothing. */
const ORDER = {
  ...CLOUD_APP,
  AppCenterImageId: "img-this-machine",
  BizRegionId: "cn-shanghai",
  AuthMode: "Session",
  ChargeType: "PostPaid",
  ChargeResourceMode: "Node",
  Period: 1,
  PeriodUnit: "Month",
  SessionTimeout: 15,
  // None of these clients knows that this parameter is an object in one text.
  NodePool: JSON.stringify({
    NodeInstanceType: "appstreaming.general.2c4g",
    StrategyType: "NODE_FIXED",
    NodeAmount: 1,
    NodeCapacity: 1,
  }),
};

/** What a call answers once there is room, which groups that were just deleted may still take for a moment. */
async function onceThereIsRoom(call) {
  const deadline = Date.now() + LIMIT_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.code !== "StockError.NoStock" || Date.now() > deadline) {
        throw error;
      }
      await sleep(100);
    }
  }
}

for (const [name, way] of Object.entries(WAYS)) {
  describe(name, () => {
    const ask = way();
    let group;

    before(async () => {
      const order = { ...ORDER, AppInstanceGroupName: `compat ${name}` };
      const made = await onceThereIsRoom(() => ask("CreateAppInstanceGroup", order));
      group = made.AppInstanceGroupModel.AppInstanceGroupId;
    });

    after(() => ask("DeleteAppInstanceGroup", { ...CLOUD_APP, AppInstanceGroupId: group }));

    const sessions = (more) =>
      ask("ListPersistentAppInstances", { ...CLOUD_APP, AppInstanceGroupId: group, PageSize: 10, ...more });

    test("an answer without a word of success is none the less one", async () => {
      const { RegionModels } = await ask("ListRegions");
      assert.equal(RegionModels[0].regionId, "cn-shanghai");
    });

    // pop-core throws on any other code than those it takes for success, whatever the status.
    test("an answer with a code of its own is no error", async () => {
      const { Code, Data } = await ask("ListImage", CLOUD_APP);
      assert.equal(Code, "200");
      assert.ok(Data.some((image) => image.ImageId === "img-this-machine"));
    });

    test("a group is found by a name that has to be encoded", async () => {
      const found = await ask("ListAppInstanceGroup", { ...CLOUD_APP, AppInstanceGroupName: `compat ${name}` });
      assert.deepEqual(found.AppInstanceGroupModels.map((one) => one.AppInstanceGroupId), [group]);
    });

    test("a group's session is listed with who may use it", async () => {
      const { TotalCount, PersistentAppInstanceModels: found } = await sessions();
      assert.equal(TotalCount, 1);
      const id = found[0].AppInstancePersistentId;
      await ask("AuthorizeInstanceGroup", {
        ...CLOUD_APP,
        AppInstanceGroupId: group,
        AppInstancePersistentId: id,
        // Every sign that such a name may have.
        AuthorizeUserIds: ["bob", "zoe.b_c-d@home"],
      });
      const chosen = await sessions({ AppInstancePersistentIds: [id, "p-00000000000000000"] });
      const [only] = chosen.PersistentAppInstanceModels;
      assert.deepEqual(only.AuthorizedUsers, ["bob", "zoe.b_c-d@home"]);
    });

    test("a tag with signs that have to be encoded comes back as it was", async () => {
      const [Key, Value] = ["team ~*'()!", "a+b=c&d/é文"];
      const resource = { RegionId: "cn-shanghai", ResourceType: "APPINSTANCEGROUP", ResourceId: [group] };
      await ask("TagResources", { ...resource, Tag: [{ Key, Value }] });
      const { TagResources } = await ask("ListTagResources", resource);
      assert.deepEqual(TagResources.map((tag) => [tag.TagKey, tag.TagValue]), [[Key, Value]]);
    });
  });
}
