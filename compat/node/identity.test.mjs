// Users, roles and who calls, with the official SDKs of ram and sts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ClientError, ram, ramClient, sts, stsClient, WAYS } from "./lib/clients.mjs";
import { refused } from "./lib/refused.mjs";

const root = ramClient();
const userName = "compat-node-actor";
const roleName = "compat-node-role";
const READ_ONLY = { policyType: "System", policyName: "AliyunAppStreamingReadOnlyAccess" };
const ASSUME = { policyType: "System", policyName: "AliyunSTSAssumeRoleAccess" };

describe("whoever may assume a role", () => {
  let account;
  let key;
  let role;

  before(async () => {
    account = (await stsClient().getCallerIdentity()).body.accountId;
    await root.createUser(new ram.CreateUserRequest({ userName }));
    await root.attachPolicyToUser(new ram.AttachPolicyToUserRequest({ ...ASSUME, userName }));
    const made = await root.createAccessKey(new ram.CreateAccessKeyRequest({ userName }));
    key = {
      accessKeyId: made.body.accessKey.accessKeyId,
      accessKeySecret: made.body.accessKey.accessKeySecret,
    };
    const trust = {
      Version: "1",
      Statement: [
        { Effect: "Allow", Action: "sts:AssumeRole", Principal: { RAM: [`acs:ram::${account}:user/${userName}`] } },
      ],
    };
    const assumeRolePolicyDocument = JSON.stringify(trust);
    role = (await root.createRole(new ram.CreateRoleRequest({ roleName, assumeRolePolicyDocument }))).body.role.arn;
    await root.attachPolicyToRole(new ram.AttachPolicyToRoleRequest({ ...READ_ONLY, roleName }));
  });

  after(async () => {
    await root.detachPolicyFromRole(new ram.DetachPolicyFromRoleRequest({ ...READ_ONLY, roleName }));
    await root.deleteRole(new ram.DeleteRoleRequest({ roleName }));
    await root.detachPolicyFromUser(new ram.DetachPolicyFromUserRequest({ ...ASSUME, userName }));
    const userAccessKeyId = key.accessKeyId;
    await root.deleteAccessKey(new ram.DeleteAccessKeyRequest({ userName, userAccessKeyId }));
    await root.deleteUser(new ram.DeleteUserRequest({ userName }));
  });

  const assume = (client) =>
    client.assumeRole(new sts.AssumeRoleRequest({ roleArn: role, roleSessionName: "at-noon" }));

  /** The settings of a client of whoever has assumed the role. */
  async function session() {
    const { accessKeyId, accessKeySecret, securityToken } = (await assume(stsClient(key))).body.credentials;
    return { accessKeyId, accessKeySecret, securityToken };
  }

  test("is told who it is before and after", async () => {
    const { body: user } = await stsClient(key).getCallerIdentity();
    assert.deepEqual([user.identityType, user.arn], ["RAMUser", `acs:ram::${account}:user/${userName}`]);
    const { body: assumed } = await stsClient(await session()).getCallerIdentity();
    assert.equal(assumed.identityType, "AssumedRoleUser");
    assert.equal(assumed.arn, `acs:ram::${account}:assumed-role/${roleName}/at-noon`);
  });

  for (const [name, way] of Object.entries(WAYS)) {
    test(`does what the role may and no more, ${name}`, async () => {
      const ask = way(await session());
      assert.ok((await ask("ListRegions")).RegionModels.length > 0);
      const group = { ProductType: "CloudApp", AppInstanceGroupId: "aig-00000000000000000" };
      const error = await refused(() => ask("DeleteAppInstanceGroup", group));
      assert.equal(error.code, "NoPermission");
      assert.equal(error.data.AccessDeniedDetail.AuthPrincipalType, "AssumedRoleUser");
    });

    test(`is told when the token is none of ours, ${name}`, async () => {
      const ask = way({ ...(await session()), securityToken: "a-token" });
      assert.equal((await refused(() => ask("ListRegions"))).code, "InvalidSecurityToken.Malformed");
    });
  }

  test("is no account itself", async () => {
    const error = await refused(() => assume(stsClient()));
    assert.ok(error instanceof ClientError, error.name);
    assert.deepEqual([error.statusCode, error.code], [403, "NoPermission"]);
    assert.match(error.message, /Roles may not be assumed by root accounts\./);
  });
});

test("what ram refuses has a code of its own", async () => {
  const error = await refused(() => root.getUser(new ram.GetUserRequest({ userName: "compat-node-nobody" })));
  assert.ok(error instanceof ClientError, error.name);
  assert.deepEqual([error.statusCode, error.code], [404, "EntityNotExist.User"]);
});
