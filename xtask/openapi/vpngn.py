"""VPNGN by the client that openapi-python-client makes: creates an end user as a server, calls as the
end user, and is refused."""

import os
from typing import cast

from vpngn_client import AuthenticatedClient, Client
from vpngn_client.api.aliases import add_alias, list_aliases
from vpngn_client.api.clients import add_client, close_client
from vpngn_client.api.products import get_products
from vpngn_client.api.tokens import token_refresh
from vpngn_client.models.add_alias_body import AddAliasBody
from vpngn_client.models.add_client_body import AddClientBody
from vpngn_client.models.aliases_reply import AliasesReply
from vpngn_client.models.close_client_body import CloseClientBody
from vpngn_client.models.created_client_reply import CreatedClientReply
from vpngn_client.models.error import Error
from vpngn_client.models.get_products_body import GetProductsBody
from vpngn_client.models.list_aliases_body import ListAliasesBody
from vpngn_client.models.product_type import ProductType
from vpngn_client.models.products_reply import ProductsReply
from vpngn_client.models.success import Success
from vpngn_client.models.token_refresh_body import TokenRefreshBody
from vpngn_client.models.tokens_reply import TokensReply

URL = os.environ["ANYVPN_VPNGN_URL"]
KEY = os.environ["ANYVPN_VPNGN_API_KEY"]
SECRET_KEY = os.environ["ANYVPN_VPNGN_SECRET_KEY"]
# A server's credential is a field of the form, so that no token is sent; the generator asks for one
# wherever one can be sent.
server = cast(AuthenticatedClient, Client(base_url=URL))
EMAIL = "python@mail.example"


def add(secret_key: str) -> CreatedClientReply | Error | None:
    body = AddClientBody(
        apikey=KEY, secret_key=secret_key, country="SE", type_=ProductType.VALUE_12, email=EMAIL
    )
    return add_client.sync(client=server, body=body)


assert isinstance(add("wrong"), Error)
assert isinstance(add(SECRET_KEY), CreatedClientReply)
assert isinstance(add(SECRET_KEY), Error), "there is one already"

products = get_products.sync(
    client=server, body=GetProductsBody(apikey=KEY, secret_key=SECRET_KEY, email=EMAIL)
)
assert isinstance(products, ProductsReply) and products.response, products
assert products.response[0].product_status == "Active", products

demo = "demo@mail.example"
password = os.environ["PASSWORD"]
wrong = TokenRefreshBody(apikey=KEY, email=demo, password="wrong")
assert isinstance(token_refresh.sync(client=server, body=wrong), Error)
right = TokenRefreshBody(apikey=KEY, email=demo, password=password)
assert isinstance(token_refresh.sync(client=server, body=right), TokensReply)

alias = "alias@mail.example"
added = add_alias.sync(
    client=server,
    body=AddAliasBody(apikey=KEY, email=demo, password=password, setemail=alias),
)
assert isinstance(added, Success), added
aliases = list_aliases.sync(
    client=server, body=ListAliasesBody(apikey=KEY, email=demo, password=password)
)
assert isinstance(aliases, AliasesReply) and aliases.response, aliases
assert [it.email for it in aliases.response] == [alias], aliases

# A bearer is what it is elsewhere: a wrong one is refused.
stranger = AuthenticatedClient(base_url=URL, token="0xwrong")
body = ListAliasesBody(apikey=KEY, email=demo)
assert isinstance(list_aliases.sync(client=stranger, body=body), Error)

close = CloseClientBody(apikey=KEY, secret_key=SECRET_KEY, email=EMAIL)
assert isinstance(close_client.sync(client=server, body=close), Success)
