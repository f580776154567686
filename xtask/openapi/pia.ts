// PIA by the types that openapi-typescript makes: signs in, makes a WireGuard key known, forwards a port and
// signs out, and is refused.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./pia-api.js";

// All servers stand here; the service has one address for each.
const baseUrl = process.env.ANYVPN_PIA_URL;
const pubkey = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw=";
const stranger = createClient<paths>({ baseUrl });

const signIn = (password: string) =>
  stranger.POST("/api/client/v2/token", { body: { username: "demo", password } });

const refused = await signIn("wrong");
assert.equal(refused.response.status, 401);
assert.ok(refused.error?.message);

const token = (await signIn(process.env.PASSWORD ?? "")).data?.token;
assert.ok(token);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Token ${token}` } });
client.use({
  // The VPN servers take the token from the query, under two names.
  onRequest({ request }) {
    const url = new URL(request.url);
    url.searchParams.set("pt", token);
    url.searchParams.set("token", token);
    return new Request(url, request);
  },
});

const account = await client.GET("/api/client/v2/account");
assert.equal(account.data?.username, "demo");

const params = { path: { version: "v6" } };
const servers = await stranger.GET("/vpninfo/servers/{version}", { params, parseAs: "text" });
assert.ok(servers.data?.startsWith("{"));

const addKey = () => client.GET("/addKey", { params: { query: { pubkey } } });
const added = (await addKey()).data;
assert.ok(added && "peer_pubkey" in added);
assert.equal(added.peer_pubkey, pubkey);

const reserved = (await client.GET("/getSignature")).data;
assert.ok(reserved && "payload" in reserved);
const bind = (signature: string) =>
  stranger.GET("/bindPort", { params: { query: { payload: reserved.payload, signature } } });
assert.ok((await bind(reserved.signature)).response.ok);
const forged = await bind("forged");
assert.equal(forged.response.status, 401);
assert.ok(forged.error?.message);

assert.ok((await client.POST("/api/client/v2/expire_token", { body: {} })).response.ok);
assert.ok((await addKey()).error);
const unauthorized = await stranger.GET("/api/client/v2/account", { parseAs: "text" });
assert.equal(unauthorized.response.status, 401);
assert.ok(unauthorized.error);
