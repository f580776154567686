"""VPN Script by the client that openapi-python-client makes: signs in, makes a WireGuard configuration
and deletes it, and is refused."""

import os

from vpnscript_client import AuthenticatedClient, Client
from vpnscript_client.api.account import create_token, get_account
from vpnscript_client.api.openvpn import get_openvpn_profile
from vpnscript_client.api.servers import list_servers
from vpnscript_client.api.wireguard import (
    create_wireguard_config,
    delete_wireguard_config,
    list_wireguard_configs,
)
from vpnscript_client.models.account_reply import AccountReply
from vpnscript_client.models.create_token_body import CreateTokenBody
from vpnscript_client.models.create_wireguard_config_body import CreateWireguardConfigBody
from vpnscript_client.models.delete_wireguard_config_body import DeleteWireguardConfigBody
from vpnscript_client.models.input_error import InputError
from vpnscript_client.models.message_error import MessageError
from vpnscript_client.models.profile_reply import ProfileReply
from vpnscript_client.models.queued_reply import QueuedReply
from vpnscript_client.models.reason_error import ReasonError
from vpnscript_client.models.servers_reply import ServersReply
from vpnscript_client.models.token_reply import TokenReply
from vpnscript_client.models.wire_guard_configs_reply import WireGuardConfigsReply

URL = os.environ["ANYVPN_VPNSCRIPT_URL"]
# Without it a call that is not signed in is redirected to a page for people.
HEADERS = {"Accept": "application/json"}


def sign_in(password: str) -> TokenReply | InputError | MessageError | ReasonError | None:
    body = CreateTokenBody(username="demo", password=password, device_name="openapi-python-client")
    return create_token.sync(client=Client(base_url=URL, headers=HEADERS), body=body)


refused = sign_in("wrong")
assert isinstance(refused, MessageError) and refused.message, refused

signed_in = sign_in(os.environ["PASSWORD"])
assert isinstance(signed_in, TokenReply), signed_in
client = AuthenticatedClient(base_url=URL, headers=HEADERS, token=signed_in.token)

account = get_account.sync(client=client)
assert isinstance(account, AccountReply) and account.data.username == "demo", account

page = list_servers.sync(client=client, paginate=2, page=2)
assert isinstance(page, ServersReply) and len(page.data) == 2, page
servers = list_servers.sync(client=client)
assert isinstance(servers, ServersReply), servers
openvpn, wireguard = (
    next(int(it.id) for it in servers.data if it.protocol == protocol)
    for protocol in ("openvpn", "wireguard")
)

profile = get_openvpn_profile.sync(client=client, server_id=openvpn)
assert isinstance(profile, ProfileReply) and "remote" in profile.data, profile
no_profile = get_openvpn_profile.sync(client=client, server_id=wireguard)
assert isinstance(no_profile, MessageError) and no_profile.message, no_profile

queued = create_wireguard_config.sync(
    client=client, body=CreateWireguardConfigBody(server_id=wireguard)
)
assert isinstance(queued, QueuedReply), queued
configs = list_wireguard_configs.sync(client=client)
assert isinstance(configs, WireGuardConfigsReply) and len(configs.data) == 1, configs

unknown = delete_wireguard_config.sync(
    client=client, body=DeleteWireguardConfigBody(config_id=999_999)
)
assert isinstance(unknown, MessageError) and unknown.message, unknown

stranger = AuthenticatedClient(base_url=URL, headers=HEADERS, token="1|wrong")
unauthenticated = get_account.sync_detailed(client=stranger)
assert unauthenticated.status_code == 401, unauthenticated
assert isinstance(unauthenticated.parsed, MessageError), unauthenticated
