"""What schemathesis cannot make up: public keys, and VPNGN's keys, which stand in each form, so that a
call comes past them."""

import base64
import os

import schemathesis
from hypothesis import strategies

schemathesis.openapi.format(
    "public-key",
    strategies.binary(min_size=32, max_size=32).map(lambda key: base64.b64encode(key).decode()),
)


@schemathesis.hook
def map_body(context, body):
    if not isinstance(body, dict) or "/amapi/" not in context.operation.path:
        return body
    body = body | {
        "apikey": os.environ["ANYVPN_VPNGN_API_KEY"],
        "secret_key": os.environ["ANYVPN_VPNGN_SECRET_KEY"],
    }
    if not context.operation.path.endswith("/AddClient"):
        # The customer who is there. The secret key is the credential; a password would be another.
        body["email"] = "demo@mail.example"
        body.pop("password", None)
    return body
