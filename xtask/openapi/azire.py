"""AzireVPN by the client that openapi-python-client makes: signs in, opens a port, and is refused."""

import os
from typing import cast

from azire_client import AuthenticatedClient, Client
from azire_client.api.devices import list_ips
from azire_client.api.port_forwards import (
    check_port,
    create_port_forward,
    delete_port_forward,
    list_port_forwards,
)
from azire_client.api.tokens import create_token, delete_token
from azire_client.models.create_port_forward_body import CreatePortForwardBody
from azire_client.models.create_port_forward_response_2xx import CreatePortForwardResponse2XX
from azire_client.models.create_token_body import CreateTokenBody
from azire_client.models.create_token_response_2xx import CreateTokenResponse2XX
from azire_client.models.delete_port_forward_body import DeletePortForwardBody
from azire_client.models.error import Error
from azire_client.models.list_ips_response_2xx import ListIpsResponse2XX
from azire_client.models.list_port_forwards_response_2xx import ListPortForwardsResponse2XX
from azire_client.models.port_closed_reply import PortClosedReply

URL = os.environ["ANYVPN_AZIRE_URL"]
# The generator asks for a token wherever one can be sent; signing in sends none.
ANYBODY = cast(AuthenticatedClient, Client(base_url=URL))


def sign_in(password: str) -> CreateTokenResponse2XX | Error | None:
    body = CreateTokenBody(username="demo", password=password, comment="openapi-python-client")
    return create_token.sync(client=ANYBODY, body=body)


refused = sign_in("wrong")
assert isinstance(refused, Error) and refused.message, refused

signed_in = sign_in(os.environ["PASSWORD"])
assert isinstance(signed_in, CreateTokenResponse2XX), signed_in
client = AuthenticatedClient(base_url=URL, token=signed_in.data.key)

devices = list_ips.sync(client=client)
assert isinstance(devices, ListIpsResponse2XX), devices
address = devices.data[0].ipv4_address

none = list_port_forwards.sync_detailed(client=client, internal_ipv4=address)
assert none.status_code == 404 and isinstance(none.parsed, Error), none

opened = create_port_forward.sync(
    client=client, body=CreatePortForwardBody(internal_ipv4=address, expires_in=30)
)
assert isinstance(opened, CreatePortForwardResponse2XX), opened
port = opened.data.port

ports = list_port_forwards.sync(client=client, internal_ipv4=address)
assert isinstance(ports, ListPortForwardsResponse2XX), ports
assert [it.port for it in ports.data.ports] == [port], ports

closed = check_port.sync(client=Client(base_url=URL), port=port)
assert isinstance(closed, PortClosedReply), closed
assert closed.status == "error" and int(closed.data.port) == port, closed

body = DeletePortForwardBody(internal_ipv4=address, port=port)
done = delete_port_forward.sync_detailed(client=client, body=body)
assert done.status_code in (200, 204) and done.parsed is None, done
gone = delete_port_forward.sync_detailed(client=client, body=body)
assert gone.status_code == 404 and isinstance(gone.parsed, Error), gone

assert delete_token.sync_detailed(client=client, id=signed_in.data.id).status_code in (200, 204)
unauthenticated = list_ips.sync_detailed(client=client)
assert unauthenticated.status_code == 401, unauthenticated
assert isinstance(unauthenticated.parsed, Error), unauthenticated
