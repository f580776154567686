// VPNresellers by the types that openapi-typescript makes: creates an account, reads its WireGuard
// configuration, suspends and deletes it, and is refused.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./vpnresellers-api.js";

const baseUrl = process.env.ANYVPN_VPNRESELLERS_URL;
// Without it a configuration comes as the bare file.
const headers = { Accept: "application/json" };
const token = process.env.ANYVPN_VPNRESELLERS_TOKEN;
const authorized = { ...headers, Authorization: `Bearer ${token}` };
const client = createClient<paths>({ baseUrl, headers: authorized });
const username = "typescript_u1";

const where = await createClient<paths>({ baseUrl, headers }).GET("/v4_1/geoip");
assert.ok(where.data?.data.ip);
const profile = await client.GET("/v4_1/profile");
assert.ok(profile.data?.data.balance);

const free = await client.GET("/v4_1/accounts/check_username", { params: { query: { username } } });
assert.ok(free.data?.message);
const create = () => client.POST("/v4_1/accounts", { body: { username, password: "correct horse" } });
const id = (await create()).data?.data.id;
assert.ok(id);
const taken = await create();
assert.equal(taken.response.status, 422);
assert.ok(taken.error?.message);

const page = await client.GET("/v4_1/accounts", { params: { query: { page: 1, per_page: 100 } } });
assert.ok(page.data?.data.some((it) => it.username === username));

const server_id = (await client.GET("/v4_1/servers")).data?.data[0]?.id;
assert.ok(server_id);
const query = { server_id, account_id: id };
const config = await client.GET("/v4_1/configuration/wireguard", { params: { query } });
const reply = config.data;
// The other forms are the bare file, the text alone, and version 3's.
assert.ok(typeof reply === "object" && "data" in reply && typeof reply.data === "object");
assert.ok("content" in reply.data);
assert.ok(reply.data.content.includes("[Interface]"));

const path = { id };
const disabled = await client.PUT("/v4_1/accounts/{id}/disable", { params: { path } });
assert.ok(disabled.response.ok);
const remove = () => client.DELETE("/v4_1/accounts/{id}", { params: { path } });
assert.ok((await remove()).response.ok);
const gone = await remove();
assert.equal(gone.response.status, 404);
assert.ok(gone.error?.message);

const stranger = createClient<paths>({ baseUrl, headers: { ...headers, Authorization: "Bearer x" } });
assert.equal((await stranger.GET("/v4_1/profile")).response.status, 401);
