// VPNGN by the types that openapi-typescript makes: creates an end user as a server, calls as the end
// user, and is refused.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./vpngn-api.js";

const baseUrl = process.env.ANYVPN_VPNGN_URL;
const apikey = process.env.ANYVPN_VPNGN_API_KEY ?? "";
const secret_key = process.env.ANYVPN_VPNGN_SECRET_KEY ?? "";
const form = { "Content-Type": "application/x-www-form-urlencoded" };
const client = createClient<paths>({ baseUrl, headers: form });

const email = "typescript@mail.example";
const add = (key: string) =>
  client.POST("/api/amapi/AddClient", {
    body: { apikey, secret_key: key, country: "SE", type: 12, email },
  });
const wrongKey = await add("wrong");
assert.equal((wrongKey.error ?? wrongKey.data).status, "error");
assert.equal((await add(secret_key)).data?.status, "success");
const again = await add(secret_key);
assert.equal((again.error ?? again.data).status, "error");

const products = await client.POST("/api/amapi/GetProducts", { body: { apikey, secret_key, email } });
assert.ok(products.data?.status === "success");
assert.equal(products.data.response?.[0]?.product_status, "Active");

const demo = "demo@mail.example";
const refresh = (password: string) =>
  client.POST("/api/amapi/TokenRefresh", { body: { apikey, email: demo, password } });
const wrong = await refresh("wrong");
assert.equal((wrong.error ?? wrong.data).status, "error");
const password = process.env.PASSWORD ?? "";
assert.equal((await refresh(password)).data?.status, "success");

const setemail = "typescript-alias@mail.example";
const body = { apikey, email: demo, password };
const added = await client.POST("/api/amapi/AddAlias", { body: { ...body, setemail } });
assert.equal(added.data?.status, "success");
const aliases = await client.POST("/api/amapi/ListAliases", { body });
assert.ok(aliases.data?.status === "success");
assert.ok(aliases.data.response?.some((alias) => alias.email === setemail));

// A bearer is what it is elsewhere: a wrong one is refused.
const stranger = await client.POST("/api/amapi/ListAliases", {
  body: { apikey, email: demo },
  headers: { ...form, Authorization: "Bearer 0xwrong" },
});
assert.equal((stranger.error ?? stranger.data).status, "error");

const closed = await client.POST("/api/amapi/CloseClient", { body: { apikey, secret_key, email } });
assert.equal(closed.data?.status, "success");
