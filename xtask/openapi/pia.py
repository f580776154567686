"""PIA by the client that openapi-python-client makes: signs in, makes a WireGuard key known, forwards a port
and signs out, and is refused."""

import os

from pia_client import AuthenticatedClient, Client
from pia_client.api.account import create_token, expire_token, get_account
from pia_client.api.ports import bind_port, get_signature
from pia_client.api.servers import list_servers
from pia_client.api.wireguard import add_key
from pia_client.models.account import Account
from pia_client.models.added_key import AddedKey
from pia_client.models.create_token_body import CreateTokenBody
from pia_client.models.error import Error
from pia_client.models.expire_token_body import ExpireTokenBody
from pia_client.models.port_signature import PortSignature
from pia_client.models.token import Token

# All servers stand here; the service has one address for each.
URL = os.environ["ANYVPN_PIA_URL"]
KEY = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw="
stranger = Client(base_url=URL)


def sign_in(password: str) -> Token | Error | str | None:
    body = CreateTokenBody(username="demo", password=password)
    return create_token.sync(client=stranger, body=body)


def with_token(token: str) -> AuthenticatedClient:
    # The VPN servers take the token from the query, under two names.
    return AuthenticatedClient(
        base_url=URL,
        token=token,
        prefix="Token",
        httpx_args={"params": {"pt": token, "token": token}},
    )


refused = sign_in("wrong")
assert isinstance(refused, Error) and refused.message, refused

signed_in = sign_in(os.environ["PASSWORD"])
assert isinstance(signed_in, Token), signed_in
client = with_token(signed_in.token)

account = get_account.sync(client=client)
assert isinstance(account, Account) and account.username == "demo", account

servers = list_servers.sync("v6", client=stranger)
assert isinstance(servers, str) and servers.startswith("{"), servers

added = add_key.sync(client=client, pubkey=KEY)
assert isinstance(added, AddedKey) and added.peer_pubkey == KEY, added

reserved = get_signature.sync(client=client)
assert isinstance(reserved, PortSignature), reserved
bound = bind_port.sync_detailed(
    client=stranger, payload=reserved.payload, signature=reserved.signature
)
assert bound.status_code == 200, bound
forged = bind_port.sync(client=stranger, payload=reserved.payload, signature="forged")
assert isinstance(forged, Error) and forged.message, forged

assert expire_token.sync_detailed(client=client, body=ExpireTokenBody()).status_code == 200
ended = add_key.sync(client=client, pubkey=KEY)
assert isinstance(ended, Error) and ended.message, ended
