-- Times are microseconds since 1970.
CREATE TABLE fleet_orders (
    id TEXT COLLATE "C" PRIMARY KEY,
    profile TEXT NOT NULL,
    customer_key TEXT NOT NULL,
    body TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    progress TEXT NOT NULL,
    state TEXT NOT NULL,
    state_since BIGINT NOT NULL,
    reason TEXT,
    due BIGINT,
    fence BIGINT NOT NULL,
    worker TEXT NOT NULL,
    lease_until BIGINT
-- A claim and an intent change no indexed column. With room in its page, the new row needs no new entries in the indexes.
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX fleet_one_order_per_customer ON fleet_orders (profile, customer_key) WHERE state <> 'released';
CREATE INDEX fleet_orders_due ON fleet_orders (due) WHERE due IS NOT NULL;
CREATE INDEX fleet_orders_state ON fleet_orders (state, id);

-- Rows are only added.
CREATE TABLE fleet_journal (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    worker TEXT NOT NULL,
    fence BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    state TEXT NOT NULL,
    event TEXT NOT NULL
);
CREATE INDEX fleet_journal_order ON fleet_journal (order_id, seq);

-- How often an operation may be sent, and how often it was.
CREATE TABLE fleet_meters (
    profile TEXT NOT NULL,
    operation TEXT NOT NULL,
    calls BIGINT,
    per_seconds BIGINT,
    full_at BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    queue BIGINT NOT NULL,
    PRIMARY KEY (profile, operation)
);

-- Profiles for which nothing is sent, and why.
CREATE TABLE fleet_stopped (
    profile TEXT PRIMARY KEY,
    why TEXT NOT NULL
);
