"""VPNresellers by the client that openapi-python-client makes: creates an account, reads its WireGuard
configuration, suspends and deletes it, and is refused."""

import os

from vpnresellers_client import AuthenticatedClient, Client
from vpnresellers_client.api.accounts import (
    check_username,
    create_account,
    delete_account,
    disable_account,
    list_accounts,
)
from vpnresellers_client.api.configurations import get_wireguard_config
from vpnresellers_client.api.reseller import get_location, get_profile
from vpnresellers_client.api.servers import list_servers
from vpnresellers_client.models.accounts_reply import AccountsReply
from vpnresellers_client.models.check_username_response_2xx import CheckUsernameResponse2XX
from vpnresellers_client.models.config_file_reply import ConfigFileReply
from vpnresellers_client.models.create_account_body import CreateAccountBody
from vpnresellers_client.models.create_account_response_2xx import CreateAccountResponse2XX
from vpnresellers_client.models.error import Error
from vpnresellers_client.models.get_location_response_2xx import GetLocationResponse2XX
from vpnresellers_client.models.get_profile_response_2xx import GetProfileResponse2XX
from vpnresellers_client.models.list_servers_response_2xx import ListServersResponse2XX

URL = os.environ["ANYVPN_VPNRESELLERS_URL"]
# Without it a configuration comes as the bare file.
HEADERS = {"Accept": "application/json"}
client = AuthenticatedClient(
    base_url=URL, headers=HEADERS, token=os.environ["ANYVPN_VPNRESELLERS_TOKEN"]
)
NAME = "python_u1"

where = get_location.sync(client=Client(base_url=URL, headers=HEADERS))
assert isinstance(where, GetLocationResponse2XX) and where.data.ip, where
profile = get_profile.sync(client=client)
assert isinstance(profile, GetProfileResponse2XX) and profile.data.balance, profile

free = check_username.sync(client=client, username=NAME)
assert isinstance(free, CheckUsernameResponse2XX), free
body = CreateAccountBody(username=NAME, password="correct horse")
created = create_account.sync(client=client, body=body)
assert isinstance(created, CreateAccountResponse2XX), created
account = created.data
taken = create_account.sync(client=client, body=body)
assert isinstance(taken, Error) and taken.message, taken

page = list_accounts.sync(client=client, page=1, per_page=100)
assert isinstance(page, AccountsReply), page
assert NAME in [it.username for it in page.data], page

servers = list_servers.sync(client=client)
assert isinstance(servers, ListServersResponse2XX) and servers.data, servers
config = get_wireguard_config.sync(
    client=client, server_id=servers.data[0].id, account_id=account.id
)
assert isinstance(config, ConfigFileReply) and "[Interface]" in config.data.content, config

assert disable_account.sync_detailed(client=client, id=account.id).status_code == 200
assert delete_account.sync_detailed(client=client, id=account.id).status_code == 200
gone = delete_account.sync_detailed(client=client, id=account.id)
assert gone.status_code == 404 and isinstance(gone.parsed, Error), gone

stranger = AuthenticatedClient(base_url=URL, headers=HEADERS, token="1|wrong")
assert isinstance(get_profile.sync(client=stranger), Error)
