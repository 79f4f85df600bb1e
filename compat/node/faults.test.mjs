// What each kind of mistake is to programs that use these clients.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ClientError, ServerError, ThrottlingError, WAYS, openapiCore, ram, ramClient } from "./lib/clients.mjs";
import { withServer } from "./lib/own_server.mjs";
import { refused } from "./lib/refused.mjs";

const GROUP = { ProductType: "CloudApp", AppInstanceGroupId: "aig-00000000000000000" };

for (const [name, way] of Object.entries(WAYS)) {
  describe(name, () => {
    const ask = way();

    for (const [what, call, code] of [
      ["an unknown key", () => way({ accessKeyId: "LTAI0000000000000000" })("ListRegions"), "InvalidAccessKeyId.NotFound"],
      ["a wrong secret", () => way({ accessKeySecret: "not the secret" })("ListRegions"), "SignatureDoesNotMatch"],
      ["what is missing", () => ask("GetAppInstanceGroup", { ProductType: "CloudApp" }), "MissingAppInstanceGroupId"],
      ["a wrong value", () => ask("GetAppInstanceGroup", { ...GROUP, ProductType: "Toaster" }), "InvalidParameter.ProductType"],
      ["a group that is not there", () => ask("GetAppInstanceGroup", GROUP), "InvalidAppInstanceGroup.NotFound"],
      ["an operation that is not built", () => ask("ApproveOtaTask", { TaskId: "ota-1" }), "InvalidAction.NotFound"],
    ]) {
      test(`${what} is named by its code`, async () => {
        const error = await refused(call);
        assert.equal(error.code, code);
        assert.match(error.data.RequestId, /^[0-9A-F-]{36}$/);
        // pop-core calls an error by its code, the others by its class.
        if (name.startsWith("pop-core")) {
          assert.equal(error.name, `${code}Error`);
        }
        if (name.startsWith("openapi-core")) {
          assert.ok(error instanceof ClientError, error.name);
          assert.ok(error.statusCode >= 400 && error.statusCode < 500);
        }
      });
    }

    test("a wrong secret comes with the text that should have been signed", async () => {
      const { message } = await refused(() => way({ accessKeySecret: "not the secret" })("ListRegions"));
      const newer = name.includes("V3");
      const text = newer ? "ACS3-HMAC-S" : name.includes("GET") ? "GET&%2F&" : "POST&%2F&";
      assert.ok(message.includes(`server string to sign is:${text}`), message);
    });
  });
}

describe("a user without policies", () => {
  const root = ramClient();
  const UserName = "compat-node-denied";
  let key;

  before(async () => {
    await root.createUser(new ram.CreateUserRequest({ userName: UserName }));
    const made = await root.createAccessKey(new ram.CreateAccessKeyRequest({ userName: UserName }));
    key = made.body.accessKey;
  });

  after(async () => {
    const named = { userName: UserName, userAccessKeyId: key.accessKeyId };
    await root.deleteAccessKey(new ram.DeleteAccessKeyRequest(named));
    await root.deleteUser(new ram.DeleteUserRequest({ userName: UserName }));
  });

  for (const [name, way] of Object.entries(WAYS)) {
    test(`is told who may not do what, ${name}`, async () => {
      const { accessKeyId, accessKeySecret } = key;
      const error = await refused(() => way({ accessKeyId, accessKeySecret })("ListRegions"));
      assert.equal(error.code, "NoPermission");
      const detail = name.startsWith("pop-core") ? error.data.AccessDeniedDetail : error.accessDeniedDetail;
      assert.equal(detail.AuthAction, "appstreaming:ListRegions");
      assert.equal(detail.AuthPrincipalType, "SubUser");
      assert.equal(detail.NoPermissionType, "ImplicitDeny");
      assert.equal(detail.PolicyType, "AccountLevelIdentityBasedPolicy");
    });
  }
});

/** The error of the first call that is refused, of so many that are made one after the other. */
async function refusedWithin(calls, call) {
  for (let made = 0; made < calls; made += 1) {
    try {
      await call(made);
    } catch (error) {
      return error;
    }
  }
  return assert.fail(`${calls} calls were all answered`);
}

test("whoever calls too often is told when to come back", async () => {
  const settings = { GREENROOM_THROTTLING_OPERATION_PER_SECOND: "1", GREENROOM_THROTTLING_OPERATION_BURST: "3" };
  await withServer({ settings }, async (client) => {
    const ask = openapiCore(client);
    const error = await refusedWithin(100, () => ask("ListRegions"));
    assert.ok(error instanceof ThrottlingError, error.name);
    assert.equal(error.code, "Throttling.Api");
    assert.ok(error.retryAfter > 0 && error.retryAfter <= 1000, String(error.retryAfter));
  });
});

test("a server that cannot write says that it is its own fault, and reads on", async () => {
  await withServer({ fileKib: 1024 }, async (client) => {
    const users = ramClient(client);
    const comments = "x".repeat(128);
    const error = await refusedWithin(1000, (n) =>
      users.createUser(new ram.CreateUserRequest({ userName: `user-${n}`, comments })),
    );
    assert.ok(error instanceof ServerError, `${error.name}: ${error.message}`);
    assert.deepEqual([error.statusCode, error.code], [503, "ServiceUnavailable"]);
    assert.ok((await openapiCore(client)("ListRegions")).RegionModels.length > 0);
  });
});
