// VPN Script by the types that openapi-typescript makes: signs in, makes a WireGuard configuration and
// deletes it, and is refused.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./vpnscript-api.js";

type Refusal = components["schemas"]["Error"];

const baseUrl = process.env.ANYVPN_VPNSCRIPT_URL;
// Without it a call that is not signed in is redirected to a page for people.
const headers = { Accept: "application/json" };

/** A refusal comes with any status, 2XX included: the flag and the fields tell. */
function isRefusal(reply: object | undefined): reply is Refusal {
  return reply !== undefined && "success" in reply && !Number(reply.success);
}

/** A reply that is no refusal. */
function done<T extends object>(reply: T | Refusal | undefined): T {
  assert.ok(reply !== undefined && !isRefusal(reply), JSON.stringify(reply));
  return reply;
}

const signIn = (password: string) =>
  createClient<paths>({ baseUrl, headers }).POST("/api/auth/token", {
    body: { username: "demo", password, device_name: "openapi-typescript" },
  });

const refused = await signIn("wrong");
assert.ok(isRefusal(refused.error ?? refused.data));

const signedIn = done((await signIn(process.env.PASSWORD ?? "")).data);
assert.ok("token" in signedIn);
const authorized = { ...headers, Authorization: `Bearer ${signedIn.token}` };
const client = createClient<paths>({ baseUrl, headers: authorized });

const account = done((await client.GET("/api/account")).data);
assert.ok("data" in account);
assert.equal(account.data.username, "demo");

const page = done((await client.GET("/api/servers", { params: { query: { paginate: 2 } } })).data);
assert.ok("data" in page);
assert.equal(page.data.length, 2);
const openvpn = page.data.find((it) => it.protocol === "openvpn");
const wireguard = page.data.find((it) => it.protocol === "wireguard");
assert.ok(openvpn && wireguard);

const profile = (server_id: number) =>
  client.GET("/api/openvpn/profile", { params: { query: { server_id } } });
const text = done((await profile(Number(openvpn.id))).data);
assert.ok("data" in text && text.data.includes("remote"));
const noProfile = await profile(Number(wireguard.id));
assert.ok(isRefusal(noProfile.error ?? noProfile.data));

const queued = await client.POST("/api/wireguard/create", {
  body: { server_id: Number(wireguard.id) },
});
assert.ok(done(queued.data));
const configs = done((await client.GET("/api/wireguard/configs")).data);
assert.ok("data" in configs && configs.data.length > 0);

const unknown = await client.DELETE("/api/wireguard/delete", { body: { config_id: 999_999 } });
assert.ok(isRefusal(unknown.error ?? unknown.data));

const stranger = await createClient<paths>({ baseUrl, headers }).GET("/api/account");
assert.equal(stranger.response.status, 401);
assert.ok(stranger.error);
