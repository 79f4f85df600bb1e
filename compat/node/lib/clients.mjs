// Clients of the official SDKs, pointed at the server that the environment names.
import newer from "@alicloud/openapi-core";
import older from "@alicloud/openapi-client";
import PopCore from "@alicloud/pop-core";
import ram from "@alicloud/ram20150501";
import sts from "@alicloud/sts20150401";

export const { ClientError, ServerError, ThrottlingError } = newer;

const VERSION = "2021-09-01";

/** What a user of the SDKs would write, with only the endpoint unlike the vendor's. */
function settings(changes) {
  return {
    accessKeyId: process.env.ALIBABA_CLOUD_ACCESS_KEY_ID,
    accessKeySecret: process.env.ALIBABA_CLOUD_ACCESS_KEY_SECRET,
    endpoint: process.env.APPSTREAM_ENDPOINT,
    protocol: "http",
    regionId: "cn-shanghai",
    ...changes,
  };
}

/** How the SDKs of single products describe an operation to the client that they are built on. */
function described(action, method = "POST") {
  return {
    action,
    version: VERSION,
    protocol: "HTTP",
    pathname: "/",
    method,
    authType: "AK",
    style: "RPC",
    reqBodyType: "formData",
    bodyType: "json",
  };
}

/** A function that calls an operation with parameters in the query, and answers what came back. */
export function openapiCore(changes) {
  const client = new newer.default(new newer.$OpenApiUtil.Config(settings(changes)));
  return async (action, parameters = {}, method = "POST") => {
    const request = new newer.$OpenApiUtil.OpenApiRequest({ query: newer.OpenApiUtil.query(parameters) });
    return (await client.callApi(new newer.$OpenApiUtil.Params(described(action, method)), request, {})).body;
  };
}

/** The same through the client before it, with parameters in the form. */
export function openapiClient(changes) {
  const client = new older.default(new older.Config(settings(changes)));
  return async (action, parameters = {}) => {
    const request = new older.OpenApiRequest({ body: parameters });
    return (await client.callApi(new older.Params(described(action)), request, {})).body;
  };
}

/** The same through the oldest client, which knows signature v1 only. */
export function popCore(method, changes) {
  const { endpoint, ...rest } = settings(changes);
  const client = new PopCore({ ...rest, endpoint: `http://${endpoint}`, apiVersion: VERSION });
  return (action, parameters = {}) => client.request(action, parameters, { method });
}

export const ramClient = (changes) => new ram.default(new newer.$OpenApiUtil.Config(settings(changes)));
export const stsClient = (changes) => new sts.default(new newer.$OpenApiUtil.Config(settings(changes)));
export { ram, sts };

/** Every way to call the product, by name. */
export const WAYS = {
  "pop-core, GET": (changes) => popCore("GET", changes),
  "pop-core, POST": (changes) => popCore("POST", changes),
  "openapi-client, V3": openapiClient,
  "openapi-client, v1": (changes) => openapiClient({ signatureAlgorithm: "v2", ...changes }),
  "openapi-core, V3": openapiCore,
  "openapi-core, V3 with SM3": (changes) => openapiCore({ signatureAlgorithm: "ACS3-HMAC-SM3", ...changes }),
  "openapi-core, v1": (changes) => openapiCore({ signatureAlgorithm: "v2", ...changes }),
};
