// Signed calls of the vendor's RPC protocol, signature version 1.
import { createHmac, randomUUID } from "node:crypto";

const VERSION = "2021-09-01";

/** `call(action, parameters)` against a server, with an access key. */
export function api(origin, { AccessKeyId, AccessKeySecret }) {
  return async (action, parameters) => {
    const pairs = Object.entries({
      ...parameters,
      Action: action,
      Version: VERSION,
      Format: "JSON",
      AccessKeyId,
      SignatureMethod: "HMAC-SHA1",
      SignatureVersion: "1.0",
      SignatureNonce: randomUUID(),
      Timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
    });
    const query = pairs
      .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
      .sort()
      .join("&");
    const signature = createHmac("sha1", `${AccessKeySecret}&`)
      .update(`POST&%2F&${encode(query)}`)
      .digest("base64");
    const response = await fetch(`${origin}/?${query}&Signature=${encode(signature)}`, { method: "POST" });
    const answer = await response.json();
    if (!response.ok) {
      throw new Error(`${action}: ${answer.Code}: ${answer.Message}`);
    }
    return answer;
  };
}

/** Percent-encoding as the signature wants it: JavaScript leaves `!'()*` alone. */
function encode(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
