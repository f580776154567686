// AzireVPN by the types that openapi-typescript makes: signs in, opens a port, and is refused.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./azire-api.js";

const baseUrl = process.env.ANYVPN_AZIRE_URL;
const anybody = createClient<paths>({ baseUrl });

const signIn = (password: string) =>
  anybody.POST("/v3/tokens", { body: { username: "demo", password, comment: "openapi-typescript" } });

const refused = await signIn("wrong");
assert.ok(refused.error?.message);

const signedIn = await signIn(process.env.PASSWORD ?? "");
assert.equal(signedIn.data?.status, "success");
const token = signedIn.data.data;
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token.key}` } });

const devices = await client.GET("/v3/ips");
const internal_ipv4 = devices.data?.data[0]?.ipv4_address;
assert.ok(internal_ipv4);

const none = await client.GET("/v3/portforwardings", { params: { query: { internal_ipv4 } } });
assert.equal(none.response.status, 404);
assert.ok(none.error?.message);

const opened = await client.POST("/v3/portforwardings", { body: { internal_ipv4, expires_in: 30 } });
const port = opened.data?.data.port;
assert.ok(port);

const listed = await client.GET("/v3/portforwardings", { params: { query: { internal_ipv4 } } });
assert.deepEqual(listed.data?.data.ports.map((it) => it.port), [port]);

const hidden = await client.PUT("/v3/portforwardings", { body: { internal_ipv4, port, hidden: true } });
assert.equal(hidden.data?.data.hidden, true);

const remove = () => client.DELETE("/v3/portforwardings", { body: { internal_ipv4, port } });
assert.ok((await remove()).response.ok);
const gone = await remove();
assert.equal(gone.response.status, 404);
assert.ok(gone.error?.message);

const removed = await client.DELETE("/v3/tokens/{id}", { params: { path: { id: token.id } } });
assert.ok(removed.response.ok);
const unauthenticated = await client.GET("/v3/ips");
assert.equal(unauthenticated.response.status, 401);
assert.ok(unauthenticated.error?.message);
